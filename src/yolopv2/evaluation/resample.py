"""Scores of frames drawn again with replacement: how much the luck of the frames moves them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from yolopv2.evaluation.curves import Detections
from yolopv2.evaluation.protocols import Protocol
from yolopv2.evaluation.records import FrameRecord

Weights = NDArray[np.int64]
"""``[draws, frames]``: how often each frame was drawn in each draw."""

_TASKS = {"drivable": "drivable", "lanes": "lane"}
_COUNTS = ("tp", "fp", "fn", "tn")


def frame_weights(frames: int, draws: int, seed: int) -> Weights:
    """Draws as many frames as there are with replacement, again and again.

    Example:
        >>> frame_weights(5, draws=3, seed=0).sum(1).tolist()
        [5, 5, 5]
    """
    return np.random.default_rng(seed).multinomial(frames, np.full(frames, 1 / frames), draws)


def resampled_scores(
    records: Sequence[FrameRecord], rules: Protocol, weights: Weights
) -> dict[str, NDArray[np.float64]]:
    """The main scores of every draw.

    Args:
        records: Of the frames, in the order of the weights.
        rules: The protocol they were scored by.
        weights: How often each frame counts in each draw.

    Returns:
        By name ``ap50``, ``drivable_iou``, ``drivable_miou``, ``lane_iou`` (those that the protocol has) and ``pq``,
        each ``[draws]``; nan in draws without labels.
    """
    scores: dict[str, NDArray[np.float64]] = {}
    if any(record.boxes is not None for record in records):
        detections = Detections([record.boxes for record in records], rules.rule)
        if detections.classes:
            scores["ap50"] = np.array([detections.average_precision(weights=row) for row in weights])
    for task, short in _TASKS.items():
        for name, values in _mask_scores(records, rules, task, weights).items():
            if name in getattr(rules, task):
                scores[f"{short}_{name}"] = values
    if any(record.segments for record in records):
        scores["pq"] = _quality(records, weights)
    return scores


def _mask_scores(
    records: Sequence[FrameRecord], rules: Protocol, task: str, weights: Weights
) -> dict[str, NDArray[np.float64]]:
    """``iou`` and ``miou`` of a mask in every draw, averaged as the protocol does."""
    counts = [getattr(record, task) for record in records]
    rows = np.array([i for i, each in enumerate(counts) if each is not None and each.pixels], np.int64)
    if not len(rows):
        return {}
    table = _table(records, rows, task)
    background = _table(records, rows, "background") if rules.exclusive else table[:, [3, 2, 1, 0]]
    size = {"dataset": len(rows), "batch": rules.batch, "frame": 1}[rules.average]
    total = np.zeros((2, len(weights)))
    for start in range(0, len(rows), size):
        group = slice(start, start + size)
        drawn = weights[:, rows[group]]
        iou = _iou(drawn @ table[group], rules.empty)
        frames = drawn.sum(1)
        total += frames * np.stack([iou, (iou + _iou(drawn @ background[group], rules.empty)) / 2])
    frames = weights[:, rows].sum(1)
    iou, miou = np.divide(total, frames, out=np.full_like(total, np.nan), where=frames > 0)
    return {"iou": iou, "miou": miou}


def _table(records: Sequence[FrameRecord], rows: NDArray[np.int64], task: str) -> NDArray[np.int64]:
    """Counts of pixels, int64 ``[rows, 4]``."""
    return np.array([[getattr(getattr(records[row], task), name) for name in _COUNTS] for row in rows], np.int64)


def _iou(counts: NDArray[np.int64], empty: float) -> NDArray[np.float64]:
    """From ``[draws, 4]``."""
    union = counts[:, 0] + counts[:, 1] + counts[:, 2]
    return np.divide(counts[:, 0], union, out=np.full(len(counts), empty), where=union > 0)


def _quality(records: Sequence[FrameRecord], weights: Weights) -> NDArray[np.float64]:
    """Panoptic quality in every draw: the mean over the categories that occur in it."""
    categories = sorted({category for record in records for category in record.segments or {}})
    found = np.full((len(categories), len(weights)), np.nan)
    for row, category in enumerate(categories):
        matches = [(record.segments or {}).get(category) for record in records]
        table = np.array([(sum(m.ious), len(m.ious), m.fp, m.fn) if m else (0, 0, 0, 0) for m in matches], np.float64)
        iou, tp, fp, fn = (weights @ table).T
        lower = tp + fp / 2 + fn / 2
        np.divide(iou, lower, out=found[row], where=lower > 0)
    present = (~np.isnan(found)).sum(0)
    return np.divide(np.nansum(found, 0), present, out=np.full(len(weights), np.nan), where=present > 0)
