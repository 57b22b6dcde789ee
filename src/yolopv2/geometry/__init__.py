"""Boxes, letterboxes, masks and polylines: pure functions on arrays, without state and without files."""
