"""From matched boxes to average precision, precision and recall, and calibration, for any choice of frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yolopv2.evaluation.detection import BANDS, IOU_THRESHOLDS, BoxMatches, Rule

RECALL_POINTS = np.linspace(0, 1, 101)
"""Where average precision reads the curve."""

CALIBRATION_BINS = 10


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision over recall of one class, from the most confident detection on.

    Attributes:
        confidence: ``[n]``, falling.
        recall: ``[n]``, of all labels, when every detection so far counts as seen.
        precision: ``[n]``, likewise.
        labels: How many labels there are, more than 0.
        rule: Whose average precision is asked for.
    """

    confidence: NDArray[np.float32]
    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    labels: float
    rule: Rule

    def at_recall(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Precision of the envelope, and the confidence it takes, at each of `RECALL_POINTS`; 0 where out of reach."""
        envelope = np.maximum.accumulate(self.precision[::-1])[::-1]
        index = np.searchsorted(self.recall, RECALL_POINTS)
        return np.append(envelope, 0.0)[index], np.append(self.confidence.astype(np.float64), 0.0)[index]

    @property
    def average_precision(self) -> float:
        """Area under the envelope, read at 101 points of recall.

        COCO takes the mean of the steps there. YOLOP and HybridNets draw straight lines between the detections and
        integrate by trapezoids; behind the last detection YOLOP falls to 0 within 0.01 of recall, HybridNets on the
        way to recall 1.
        """
        if self.rule == "coco":
            return float(self.at_recall()[0].mean())
        if not len(self.recall):
            return 0.0
        end = self.recall[-1] + 0.01 if self.rule == "yolop" else 1.0
        recall = np.concatenate([[0.0], self.recall, [end]])
        precision = np.concatenate([[1.0], self.precision, [0.0]])
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        heights = np.interp(RECALL_POINTS, recall, envelope)
        return float(((heights[1:] + heights[:-1]) / 2).sum() / (len(RECALL_POINTS) - 1))

    def best_f1(self) -> tuple[float, float, float]:
        """Precision, recall and confidence where their harmonic mean is largest; all 0 without a detection."""
        if not len(self.recall):
            return 0.0, 0.0, 0.0
        total = self.precision + self.recall
        f1 = np.divide(2 * self.precision * self.recall, total, out=np.zeros_like(total), where=total > 0)
        best = int(f1.argmax())
        return float(self.precision[best]), float(self.recall[best]), float(self.confidence[best])

    def last(self) -> tuple[float, float]:
        """Precision and recall of all detections together, which is where recall is largest."""
        return (float(self.precision[-1]), float(self.recall[-1])) if len(self.recall) else (0.0, 0.0)


class Detections:
    """The matched boxes of many frames, ready for curves.

    Args:
        frames: Matches of each frame; None where a frame has no box labels. Their order decides between detections of
            equal confidence.
        rule: The rule they were matched by.

    Example:
        >>> from yolopv2.evaluation.detection import match_boxes
        >>> box, one, none = np.array([[0, 0, 9, 9.0]]), np.array([0.5]), np.array([0])
        >>> Detections([match_boxes(box, one, none, box, none)], "coco").curve(0).average_precision
        1.0
    """

    def __init__(self, frames: Sequence[BoxMatches | None], rule: Rule) -> None:
        self.rule = rule
        self.frames = len(frames)
        present = [(i, matches) for i, matches in enumerate(frames) if matches is not None]
        bands = len(BANDS) if rule == "coco" else 1
        confidence = np.concatenate([np.empty(0, np.float32), *(m.confidence for _, m in present)])
        order = np.argsort(-confidence, kind="stable")
        self.confidence = confidence[order]
        self.frame = np.repeat([i for i, _ in present], [len(m.confidence) for _, m in present]).astype(np.int64)[order]
        self.class_id = np.concatenate([np.empty(0, np.int16), *(m.class_id for _, m in present)])[order]
        empty = np.empty((0, bands), np.uint16)
        self.hits = np.concatenate([empty, *(m.hits for _, m in present)])[order]
        self.ignored = np.concatenate([empty, *(m.ignored for _, m in present)])[order]
        self.labels: dict[int, NDArray[np.int64]] = {}
        for i, matches in present:
            for class_id, counts in matches.labels.items():
                of_class = self.labels.setdefault(class_id, np.zeros((self.frames, bands), np.int64))
                of_class[i] += counts

    @property
    def classes(self) -> list[int]:
        """Ids of the classes that were labelled anywhere."""
        return sorted(class_id for class_id, counts in self.labels.items() if counts[:, 0].any())

    def curve(
        self, class_id: int, threshold: int = 0, band: int = 0, weights: NDArray[np.integer] | None = None
    ) -> Curve | None:
        """The curve of one class.

        Args:
            class_id: The class.
            threshold: Index in `IOU_THRESHOLDS`.
            band: Index in `BANDS`.
            weights: int ``[frames]``, how often each frame counts; once each if None.

        Returns:
            None when there is no label.
        """
        counts = self.labels[class_id][:, band] if class_id in self.labels else np.zeros(self.frames, np.int64)
        labels = int(counts.sum() if weights is None else counts @ weights)
        if not labels:
            return None
        rows = (self.class_id == class_id) & (self.ignored[:, band] >> threshold & 1 == 0)
        hit = (self.hits[rows, band] >> threshold & 1).astype(np.int64)
        if weights is None:
            true, seen = np.cumsum(hit), np.arange(1, len(hit) + 1)
            confidence = self.confidence[rows]
        else:
            weight = weights[self.frame[rows]]
            present = weight > 0
            true, seen = np.cumsum(hit * weight)[present], np.cumsum(weight)[present]
            confidence = self.confidence[rows][present]
        return Curve(confidence, true / labels, true / seen, labels, self.rule)

    def average_precision(self, threshold: int = 0, band: int = 0, weights: NDArray[np.integer] | None = None) -> float:
        """Mean over the classes that are labelled; nan when none is."""
        curves = [self.curve(class_id, threshold, band, weights) for class_id in self.classes]
        values = [curve.average_precision for curve in curves if curve is not None]
        return float(np.mean(values)) if values else float("nan")

    def mean_average_precision(self, band: int = 0) -> float:
        """Mean over the thresholds 0.5, 0.55 ... 0.95."""
        return float(np.mean([self.average_precision(k, band) for k in range(len(IOU_THRESHOLDS))]))

    def calibration(self) -> list[dict[str, float]]:
        """How often detections of a confidence hit (IoU 0.5), in ten bins of equal width, see `expected_error`.

        Returns:
            For each bin ``low``, ``high``, ``count``, and where it is not empty ``confidence`` (mean) and ``hits``
            (share).
        """
        counted = self.ignored[:, 0] & 1 == 0
        confidence, hit = self.confidence[counted].astype(np.float64), self.hits[counted, 0] & 1
        which = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
        bins = []
        for i in range(CALIBRATION_BINS):
            inside = which == i
            entry = {"low": i / CALIBRATION_BINS, "high": (i + 1) / CALIBRATION_BINS, "count": int(inside.sum())}
            if entry["count"]:
                entry |= {"confidence": float(confidence[inside].mean()), "hits": float(hit[inside].mean())}
            bins.append(entry)
        return bins


def expected_error(bins: Sequence[dict[str, float]]) -> float:
    """Expected calibration error (arXiv 1706.04599): mean distance of confidence and share of hits, by count.

    The first bin, below 0.1, is left out: it holds the many boxes that nobody is ever shown, and would hide the rest.

    Returns:
        In 0..1; nan without detections from 0.1 on.
    """
    filled = [entry for entry in bins[1:] if entry["count"]]
    total = sum(entry["count"] for entry in filled)
    if not total:
        return float("nan")
    return sum(entry["count"] * abs(entry["confidence"] - entry["hits"]) for entry in filled) / total
