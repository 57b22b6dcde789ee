"""Scores of networks on labelled frames, by named protocols; see docs/evaluate.md."""
