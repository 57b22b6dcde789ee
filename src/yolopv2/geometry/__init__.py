"""Boxes, letterboxes, masks, curves and polylines: pure functions on arrays, without state and without files."""
