"""Axis-aligned boxes: conversion, clipping, intersection over union, non-maximum suppression.

A box is ``x1 y1 x2 y2`` in pixels, with continuous edges: a box around the single pixel (0, 0) is ``0 0 1 1`` and its
area is 1.
"""

import numpy as np
from numpy.typing import NDArray

_BLOCK = 256
"""Candidates judged at once by `nms`: large enough for numpy to be quick, small enough to stay in the cache."""


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

    The candidates are judged in blocks, each against what is kept already and then within itself, and judging stops
    with the last detection wanted. So the work grows with candidates times detections, never with candidates squared.

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
    boxes = np.asarray(boxes, np.float32)
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    kept = np.empty(0, np.int64)
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        block = block[~_overlaps(boxes, class_ids, block, kept, iou_threshold).any(axis=1)]
        kept = np.concatenate([kept, _suppress_within(boxes, class_ids, block, iou_threshold)])
        if len(kept) >= max_detections:
            break
    return kept[:max_detections].astype(np.int64)


def _suppress_within(
    boxes: NDArray[np.float32], class_ids: NDArray[np.integer] | None, block: NDArray[np.int64], iou_threshold: float
) -> NDArray[np.int64]:
    """Greedy suppression among the candidates of one block, which is sorted by descending score."""
    overlaps = _overlaps(boxes, class_ids, block, block, iou_threshold)
    alive = np.ones(len(block), bool)
    for position in range(len(block)):
        if alive[position]:
            alive[position + 1 :] &= ~overlaps[position, position + 1 :]
    return block[alive]


def _overlaps(
    boxes: NDArray[np.float32],
    class_ids: NDArray[np.integer] | None,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    iou_threshold: float,
) -> NDArray[np.bool_]:
    """Which of the boxes at ``rows`` and ``columns`` suppress each other, bool ``[rows, columns]``."""
    overlaps = iou_matrix(boxes[rows], boxes[columns]) > iou_threshold
    if class_ids is not None:
        overlaps &= class_ids[rows][:, None] == class_ids[columns][None, :]
    return overlaps
