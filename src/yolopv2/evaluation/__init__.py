"""Scores of boxes and masks, and of whole data sets."""
