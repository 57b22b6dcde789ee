"""Axis-aligned boxes: conversion, clipping, intersection over union, non-maximum suppression.

A box is ``x1 y1 x2 y2`` in pixels, with continuous edges: a box around the single pixel (0, 0) is ``0 0 1 1`` and its
area is 1.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def cxcywh_to_xyxy(boxes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Convert boxes from centre and size to corners.

    Args:
        boxes: ``[..., 4]``, ``cx cy w h``.

    Returns:
        float32 ``[..., 4]``, ``x1 y1 x2 y2``.

    Example:
        >>> cxcywh_to_xyxy(np.array([[50.0, 40.0, 20.0, 10.0]])).tolist()
        [[40.0, 35.0, 60.0, 45.0]]
    """
    boxes = np.asarray(boxes, np.float32)
    half = boxes[..., 2:] / 2
    return np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)


def xyxy_to_cxcywh(boxes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Convert boxes from corners to centre and size.

    Args:
        boxes: ``[..., 4]``, ``x1 y1 x2 y2``.

    Returns:
        float32 ``[..., 4]``, ``cx cy w h``.

    Example:
        >>> xyxy_to_cxcywh(np.array([[40.0, 35.0, 60.0, 45.0]])).tolist()
        [[50.0, 40.0, 20.0, 10.0]]
    """
    boxes = np.asarray(boxes, np.float32)
    return np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], axis=-1)


def clip_boxes(boxes: NDArray[np.floating], height: int, width: int) -> NDArray[np.float32]:
    """Cut boxes at the edges of a frame.

    Args:
        boxes: ``[n, 4]``, ``x1 y1 x2 y2`` in pixels.
        height: Height of the frame in pixels.
        width: Width of the frame in pixels.

    Returns:
        A new float32 ``[n, 4]``; a box wholly outside comes back with no area, on the frame's edge.
    """
    return np.clip(np.asarray(boxes, np.float32), 0, np.array([width, height, width, height], np.float32))


def box_areas(boxes: NDArray[np.floating], dtype: type[np.floating] = np.float32) -> NDArray[np.floating]:
    """Areas of boxes in square pixels.

    Args:
        boxes: ``[n, 4]``, ``x1 y1 x2 y2``.
        dtype: In which it is computed.

    Returns:
        ``[n]`` of that type; a box whose corners are swapped has area 0.
    """
    boxes = np.asarray(boxes, dtype)
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return sides[:, 0] * sides[:, 1]


def intersection_matrix(
    a: NDArray[np.floating], b: NDArray[np.floating], dtype: type[np.floating] = np.float32
) -> NDArray[np.floating]:
    """Area that every box of one list shares with every box of another, ``[n, m]``; see `iou_matrix`."""
    a, b = np.asarray(a, dtype), np.asarray(b, dtype)
    # One coordinate at a time: contiguous [n, m] planes are about three times as quick as broadcasting [n, m, 2].
    width = np.minimum(a[:, 2, None], b[None, :, 2]) - np.maximum(a[:, 0, None], b[None, :, 0])
    height = np.minimum(a[:, 3, None], b[None, :, 3]) - np.maximum(a[:, 1, None], b[None, :, 1])
    return np.maximum(width, 0) * np.maximum(height, 0)


def iou_matrix(
    a: NDArray[np.floating], b: NDArray[np.floating], dtype: type[np.floating] = np.float32
) -> NDArray[np.floating]:
    """Intersection over union of every box of one list with every box of another.

    Args:
        a: ``[n, 4]``, ``x1 y1 x2 y2``.
        b: ``[m, 4]``, ``x1 y1 x2 y2``.
        dtype: In which it is computed; scores take float64.

    Returns:
        ``[n, m]`` of that type, in 0 to 1; boxes without area overlap nothing, not even themselves.

    Example:
        >>> iou_matrix(np.array([[0, 0, 2, 2]]), np.array([[1, 0, 3, 2], [5, 5, 6, 6]])).round(3).tolist()
        [[0.3330000042915344, 0.0]]
    """
    intersection = intersection_matrix(a, b, dtype)
    union = box_areas(a, dtype)[:, None] + box_areas(b, dtype)[None, :] - intersection
    return np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)


def nms(
    boxes: NDArray[np.floating],
    scores: NDArray[np.floating],
    class_ids: NDArray[np.integer] | None,
    iou_threshold: float,
    max_detections: int,
) -> NDArray[np.int64]:
    """Greedy non-maximum suppression: keep the best box, drop what overlaps it too much, go on with the next.

    Each kept box is compared only with those near enough in x to overlap it by more than the threshold, so the work
    grows with what is kept times what lies around it, never with candidates squared; it stops with the last detection
    wanted. Overlaps are computed in float64.

    Args:
        boxes: ``[n, 4]``, ``x1 y1 x2 y2``.
        scores: ``[n]``; of equal scores the lower index goes first.
        class_ids: ``[n]`` to suppress within each class only, or None to suppress across classes.
        iou_threshold: A box is dropped when its overlap with a kept box is above this, in 0 to 1.
        max_detections: At most this many are kept.

    Returns:
        int64 indices of the kept boxes, by descending score.

    Example:
        >>> boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]])
        >>> nms(boxes, np.array([0.5, 0.9, 0.7]), None, iou_threshold=0.5, max_detections=10).tolist()
        [1, 2]
    """
    boxes = np.asarray(boxes, np.float64)
    classes = np.zeros(len(boxes), np.int64) if class_ids is None else np.asarray(class_ids)
    by_place = np.lexsort((boxes[:, 0], classes))  # by class, then from left to right
    x1, y1, x2, y2 = np.ascontiguousarray(boxes[by_place].T)
    areas = box_areas(boxes, np.float64)[by_place]
    first, end = _neighbours(x1, x2 - x1, classes[by_place], iou_threshold)
    alive = np.ones(len(boxes), bool)
    kept: list[int] = []
    ranks = np.empty(len(boxes), np.int64)
    ranks[by_place] = np.arange(len(boxes))
    with np.errstate(divide="ignore", invalid="ignore"):  # boxes without area overlap nothing: 0 / 0 is above no limit
        for place in ranks[np.argsort(-np.asarray(scores, np.float64), kind="stable")].tolist():
            if not alive[place]:
                continue
            kept.append(place)
            if len(kept) >= max_detections:
                break
            near = slice(first[place], end[place])
            width = np.minimum(x2[near], x2[place]) - np.maximum(x1[near], x1[place])
            height = np.minimum(y2[near], y2[place]) - np.maximum(y1[near], y1[place])
            shared = np.maximum(width, 0) * np.maximum(height, 0)
            alive[near] &= ~(shared / (areas[near] + areas[place] - shared) > iou_threshold)
    return by_place[kept[:max_detections]]


def _neighbours(
    x1: NDArray[np.float64], width: NDArray[np.float64], classes: NDArray[np.integer], iou_threshold: float
) -> tuple[list[int], list[int]]:
    """For each box the range of those that may overlap it by more than the threshold.

    The part two boxes share is no wider than the narrower one, and must be wider than the threshold times the wider
    one: so a neighbour on the right begins within ``(1 - t) w``, and one on the left, at most ``w / t`` wide, within
    ``(1 / t - 1) w``.

    Args:
        x1: Left edges ``[n]``, ascending within each class.
        width: Widths ``[n]``.
        classes: Class ids ``[n]``, ascending.
        iou_threshold: In 0 to 1.

    Returns:
        First of the range and the one after its last, of each box.
    """
    threshold = max(iou_threshold * (1 - 1e-9), 1e-9)  # a little wider than needed: the sums are rounded
    leftmost, rightmost = x1 - (1 / threshold - 1) * width, x1 + (1 - threshold) * width
    first, end = np.empty(len(x1), np.int64), np.empty(len(x1), np.int64)
    borders = [0, *(np.flatnonzero(np.diff(classes)) + 1).tolist(), len(x1)]
    for begin, stop in pairwise(borders):
        own = slice(begin, stop)
        first[own] = begin + np.searchsorted(x1[own], leftmost[own], side="left")
        end[own] = begin + np.searchsorted(x1[own], rightmost[own], side="right")
    return first.tolist(), end.tolist()
