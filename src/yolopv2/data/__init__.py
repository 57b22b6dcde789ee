"""Labelled frames: formats, generated scenes, packed frames, augmentation."""
