"""Scores of any choice of frames, and how far they could be off by chance: the bootstrap over frames.

Frames, not boxes or pixels, are what was sampled from the world, so they are what is drawn again (Efron, 1979).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import methodcaller
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.evaluation.curves import Curve, Detections
from yolopv2.evaluation.panoptic import SegmentMatches
from yolopv2.evaluation.protocols import Protocol
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.segmentation import MaskCounts, NearCounts
from yolopv2.evaluation.summary import COUNTS, QUALITIES, SHORT, scores_of

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
        self._counts = {task: [_Counts.of(records, name) for name in names] for task, names in COUNTS.items()}
        self._quality = {name: _segment_arrays([of(record) for record in records]) for name, of in QUALITIES.items()}

    def scores(self, weights: Weights | None = None) -> dict[str, float]:
        """The scores that matter most, named as in `Evaluation.metrics`.

        Average precision, precision and recall at IoU 0.5, the masks' scores and the panoptic qualities. A batch is no
        choice of frames, so for protocols that average over batches the masks are counted over all frames together.

        Args:
            weights: How often each frame counts; once each if None.
        """
        weights = np.ones(self.frames, np.int64) if weights is None else weights
        scores = self._box_scores(weights)
        for task in self._counts:
            scores |= self._mask_scores(task, weights)
        if self.rules.panoptic:
            for name, arrays in self._quality.items():
                scores |= {name.replace("pq", key): value for key, value in _mean_quality(arrays, weights).items()}
        return scores

    def band_scores(self, band: int, weights: Weights | None = None) -> dict[str, float]:
        """Average precision and recall of all detections (IoU 0.5) of the objects of one of `BANDS`."""
        curves = self._curves(band, weights)
        if not curves:
            return {}
        return {
            "ap50": float(np.mean([curve.average_precision for curve in curves])),
            "recall": float(np.mean([curve.last()[1] for curve in curves])),
        }

    def _curves(self, band: int, weights: Weights | None) -> list[Curve]:
        if self.detections is None:
            return []
        curves = [self.detections.curve(class_id, 0, band, weights) for class_id in self.detections.classes]
        return [curve for curve in curves if curve is not None]

    def _box_scores(self, weights: Weights) -> dict[str, float]:
        curves = self._curves(0, weights)
        if not curves:
            return {}
        is_f1 = self.rules.best == "f1"
        points = np.mean([curve.best_f1()[:2] if is_f1 else curve.last() for curve in curves], axis=0)
        return {
            "ap50": float(np.mean([curve.average_precision for curve in curves])),
            f"precision_at_max_{self.rules.best}": float(points[0]),
            f"recall_at_max_{self.rules.best}": float(points[1]),
        }

    def _mask_scores(self, task: str, weights: Weights) -> dict[str, float]:
        counts = self._counts[task]
        if counts[0] is None:
            return {}
        weights = weights * (counts[0].values[:, :4].sum(1) > 0)
        total = int(weights.sum())
        if not total:
            return {}
        if self.rules.average == "frame":
            scores = {name: float(values @ weights / total) for name, values in self._of_frames[task].items()}
        else:
            scores = self._scores_of(task, lambda each: each.total(weights))
        wanted: tuple[str, ...] = getattr(self.rules, task)
        return {f"{SHORT[task]}_{name}": value for name, value in scores.items() if name in wanted}

    @cached_property
    def _of_frames(self) -> dict[str, dict[str, NDArray[np.float64]]]:
        """Each frame's own scores, float64 ``[frames]`` by name, of each task."""
        tables = {}
        for task in self._counts:
            rows = [self._scores_of(task, methodcaller("of_frame", row)) for row in range(self.frames)]
            tables[task] = {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ())}
        return tables

    def _scores_of(self, task: str, take: "Callable[[_Counts], Any]") -> dict[str, float]:
        """Scores of the counts that are taken of all frames' counts."""
        if self._counts[task][0] is None:
            return {}
        counts: list[Any] = [None if each is None else take(each) for each in self._counts[task]]
        return scores_of(self.rules, *counts)


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


@dataclass(frozen=True, eq=False)
class _Counts:
    """Counts of one kind of many frames, zeros where a frame has none.

    Attributes:
        values: int64 ``[frames, numbers]``.
        kind: What they are counts of.
    """

    values: NDArray[np.int64]
    kind: type[MaskCounts] | type[NearCounts]

    @classmethod
    def of(cls, records: Sequence[FrameRecord], name: str) -> "_Counts | None":
        """Those of that name in the records; None when no frame has any."""
        found = [getattr(record, name) for record in records]
        kind = next((type(each) for each in found if each is not None), None)
        if kind is None:
            return None
        return cls(np.array([(kind() if each is None else each).numbers() for each in found], np.int64), kind)

    def total(self, weights: Weights) -> MaskCounts | NearCounts:
        """The counts of frames together."""
        return self.kind.from_numbers((weights @ self.values).tolist())

    def of_frame(self, row: int) -> MaskCounts | NearCounts:
        """The counts of one frame."""
        return self.kind.from_numbers(self.values[row].tolist())


def _segment_arrays(frames: Sequence[Mapping[str, SegmentMatches] | None]) -> dict[str, NDArray[np.float64]]:
    """Sum of overlaps, pairs, false alarms and misses of each frame, float64 ``[frames, 4]``, by category."""
    arrays: dict[str, NDArray[np.float64]] = {}
    for row, matches in enumerate(frames):
        for category, each in (matches or {}).items():
            array = arrays.setdefault(category, np.zeros((len(frames), 4)))
            array[row] = sum(each.ious), len(each.ious), each.fp, each.fn
    return arrays


def _mean_quality(arrays: Mapping[str, NDArray[np.float64]], weights: Weights) -> dict[str, float]:
    qualities = []
    for array in arrays.values():
        overlap, pairs, fp, fn = weights @ array
        if pairs + fp + fn:
            matched = pairs + fp / 2 + fn / 2
            qualities.append((overlap / matched, overlap / pairs if pairs else 0.0, pairs / matched))
    return dict(zip(("pq", "sq", "rq"), np.mean(qualities, axis=0).tolist(), strict=True)) if qualities else {}
