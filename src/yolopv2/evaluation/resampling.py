"""Scores of any choice of frames, and how far they could be off by chance: the bootstrap over frames.

Frames, not boxes or pixels, are what was sampled from the world, so they are what is drawn again (Efron, 1979).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from yolopv2.evaluation.curves import Detections
from yolopv2.evaluation.panoptic import SegmentMatches
from yolopv2.evaluation.protocols import Protocol
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.segmentation import MaskCounts
from yolopv2.evaluation.summary import QUALITIES, SHORT

RESAMPLES = 200
"""Draws of a bootstrap; the ends of a 95 % interval vary by some hundredths of its length from seed to seed."""

Weights = NDArray[np.int64]
"""How often each frame counts, int ``[frames]``."""


class FrameTable:
    """Counts of many frames as arrays, so that scores of thousands of choices of frames are quick.

    Args:
        records: The frames.
        rules: The protocol they were scored by.

    Example:
        >>> from yolopv2.evaluation.protocols import protocol
        >>> good, bad = MaskCounts(tp=9, fn=1, tn=10), MaskCounts(tp=1, fn=9, tn=10)
        >>> table = FrameTable([FrameRecord(0, "a", lanes=good), FrameRecord(1, "b", lanes=bad)], protocol("dataset"))
        >>> table.scores()["lane_iou"], table.scores(np.array([1, 0]))["lane_iou"]
        (0.5, 0.9)
    """

    def __init__(self, records: Sequence[FrameRecord], rules: Protocol) -> None:
        self.rules, self.frames = rules, len(records)
        has_boxes = any(record.boxes is not None for record in records)
        self.detections = Detections([record.boxes for record in records], rules.rule) if has_boxes else None
        self._masks = {task: _mask_array(records, task) for task in ("drivable", "lanes", "background")}
        self._quality = {name: _segment_arrays([of(record) for record in records]) for name, of in QUALITIES.items()}

    def scores(self, weights: Weights | None = None) -> dict[str, float]:
        """The scores that matter most, named as in `Evaluation.metrics`.

        Average precision at IoU 0.5, the masks' scores and the panoptic qualities. A batch is not a choice of frames,
        so for protocols that average over batches the masks are counted over all frames together.

        Args:
            weights: How often each frame counts; once each if None.
        """
        weights = np.ones(self.frames, np.int64) if weights is None else weights
        scores: dict[str, float] = {}
        if self.detections is not None:
            scores["ap50"] = self.detections.average_precision(weights=weights)
        for task in ("drivable", "lanes"):
            scores |= self._mask_scores(task, weights)
        if self.rules.panoptic:
            for name, arrays in self._quality.items():
                scores[name] = _mean_quality(arrays, weights)
        return {name: value for name, value in scores.items() if not np.isnan(value)}

    def band_scores(self, band: int, weights: Weights | None = None) -> dict[str, float]:
        """Average precision and recall of all detections (IoU 0.5) of the objects of one of `BANDS`."""
        if self.detections is None:
            return {}
        curves = [self.detections.curve(class_id, 0, band, weights) for class_id in self.detections.classes]
        present = [curve for curve in curves if curve is not None]
        if not present:
            return {}
        return {
            "ap50": float(np.mean([curve.average_precision for curve in present])),
            "recall": float(np.mean([curve.last()[1] for curve in present])),
        }

    def _mask_scores(self, task: str, weights: Weights) -> dict[str, float]:
        counts = self._masks[task]
        weights = weights * (counts[:, :4].sum(1) > 0)
        total = int(weights.sum())
        if not total:
            return {}
        if self.rules.average == "frame":
            scores = {name: float(values @ weights / total) for name, values in self._of_frames[task].items()}
        else:
            scores = self._scores_of(task, weights @ counts, weights @ self._masks["background"])
        wanted: tuple[str, ...] = getattr(self.rules, task)
        return {f"{SHORT[task]}_{name}": value for name, value in scores.items() if name in wanted}

    @cached_property
    def _of_frames(self) -> dict[str, dict[str, NDArray[np.float64]]]:
        """Each frame's own scores, float64 ``[frames]`` by name, of each task."""
        background = self._masks["background"]
        tables = {}
        for task in ("drivable", "lanes"):
            rows = [self._scores_of(task, *pair) for pair in zip(self._masks[task], background, strict=True)]
            tables[task] = {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ())}
        return tables

    def _scores_of(self, task: str, counts: NDArray[np.int64], background: NDArray[np.int64]) -> dict[str, float]:
        scores = MaskCounts(*counts.tolist()).scores(self.rules.empty)
        if self.rules.exclusive:
            others = MaskCounts(*background.tolist()).scores(self.rules.empty)
            scores["miou"] = (scores["iou"] + others["iou"]) / 2
        return scores


def intervals(
    scores: Callable[[Weights], Mapping[str, float]], frames: int, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, list[float]]:
    """95 % bootstrap intervals (percentiles) of scores over frames.

    Args:
        scores: Scores for weights of frames, such as `FrameTable.scores`.
        frames: How many frames there are.
        resamples: How often as many frames are drawn, with repetition.
        seed: The same seed gives the same intervals.

    Returns:
        Low and high end of the interval by name of score; scores that a draw could not give are left out of that draw.
    """
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {}
    for _ in range(resamples if frames else 0):
        for name, value in scores(rng.multinomial(frames, np.full(frames, 1 / frames))).items():
            drawn.setdefault(name, []).append(value)
    return {name: np.percentile(values, [2.5, 97.5]).tolist() for name, values in drawn.items()}


def _mask_array(records: Sequence[FrameRecord], task: str) -> NDArray[np.int64]:
    """Counts of each frame, int64 ``[frames, 5]``, zeros where there are none."""
    counts: list[MaskCounts] = [getattr(record, task) or MaskCounts() for record in records]
    return np.array([astuple(each) for each in counts], np.int64).reshape(-1, 5)


def _segment_arrays(frames: Sequence[Mapping[str, SegmentMatches] | None]) -> dict[str, NDArray[np.float64]]:
    """Sum of overlaps, pairs, false alarms and misses of each frame, float64 ``[frames, 4]``, by category."""
    arrays: dict[str, NDArray[np.float64]] = {}
    for row, matches in enumerate(frames):
        for category, each in (matches or {}).items():
            array = arrays.setdefault(category, np.zeros((len(frames), 4)))
            array[row] = sum(each.ious), len(each.ious), each.fp, each.fn
    return arrays


def _mean_quality(arrays: Mapping[str, NDArray[np.float64]], weights: Weights) -> float:
    qualities = []
    for array in arrays.values():
        overlap, pairs, fp, fn = weights @ array
        if pairs + fp + fn:
            qualities.append(overlap / (pairs + fp / 2 + fn / 2))
    return float(np.mean(qualities)) if qualities else float("nan")
