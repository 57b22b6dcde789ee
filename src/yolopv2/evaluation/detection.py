"""Which boxes hit: detections matched to labels, frame by frame, under the rules of the protocols.

Of a detection only its confidence, its class and bits are kept, so that a data set of any size fits into memory and
everything else (`yolopv2.evaluation.curves`) can be computed from it for any choice of frames.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from yolopv2.geometry.boxes import box_areas, intersection_matrix, iou_matrix

Rule = Literal["coco", "yolop", "hybridnets"]

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""Least overlaps of a hit, those of COCO."""

_BITS = 1 << np.arange(len(IOU_THRESHOLDS))


@dataclass(frozen=True)
class Band:
    """Objects of a size or at a distance, which are scored by themselves; both ends belong to it.

    Attributes:
        name: What it is called.
        low: Least area in square pixels of the frame; for ``by_height`` least height in shares of the frame's.
        high: Largest.
        by_height: Whether it goes by the box's height, which tells the distance of vehicles of one kind.
    """

    name: str
    low: float = 0.0
    high: float = np.inf
    by_height: bool = False

    def holds(self, boxes: NDArray[np.floating], frame_height: float) -> NDArray[np.bool_]:
        """Which boxes ``[n, 4]`` belong to it, bool ``[n]``."""
        boxes = np.asarray(boxes, np.float64)
        measure = (boxes[:, 3] - boxes[:, 1]) / frame_height if self.by_height else box_areas(boxes, np.float64)
        return (measure >= self.low) & (measure <= self.high)


BANDS = (
    Band("all"),
    Band("small", high=32.0**2),
    Band("medium", 32.0**2, 96.0**2),
    Band("large", 96.0**2),
    Band("far", high=1 / 24, by_height=True),
    Band("middle", 1 / 24, 1 / 8, by_height=True),
    Band("near", 1 / 8, by_height=True),
)
"""The sizes of COCO, and distances approximated by a box's height: at 720 lines below 30, to 90, and above."""


@dataclass(frozen=True, eq=False)
class BoxMatches:
    """What matching leaves of one frame, detections by falling confidence.

    Attributes:
        confidence: float32 ``[n]``.
        class_id: int16 ``[n]``.
        hits: uint16 ``[n, bands]``: bit k is set where the detection hits at ``IOU_THRESHOLDS[k]``.
        ignored: uint16 ``[n, bands]``: bit k is set where it counts neither as hit nor as false alarm.
        labels: Number of labels of each class in each band, int ``[bands]`` by class id.
    """

    confidence: NDArray[np.float32]
    class_id: NDArray[np.int16]
    hits: NDArray[np.uint16]
    ignored: NDArray[np.uint16]
    labels: Mapping[int, tuple[int, ...]]


def match_boxes(
    boxes: NDArray[np.floating],
    confidence: NDArray[np.floating],
    class_ids: NDArray[np.integer],
    labels: NDArray[np.floating],
    label_classes: NDArray[np.integer],
    rule: Rule = "coco",
    frame_height: float = 1.0,
    max_det: int = 100,
    crowd: NDArray[np.bool_] | None = None,
) -> BoxMatches:
    """Matches the detections of one frame to its labels, each class by itself.

    - ``coco``: by falling confidence each detection takes the free label it overlaps most, at each threshold by
      itself, for all of `BANDS`. A label that is a crowd or outside of the band is taken last, and what takes it is
      ignored, like a detection outside of the band that takes nothing; any number may take a crowd.
    - ``yolop``: each detection has one label, the one it overlaps most, by more than 0.5; of several with the same
      label the most confident one has it, and hits at the thresholds its overlap is above. No bands.
    - ``hybridnets``: the same, where overlap equal to the threshold is enough.

    Args:
        boxes: ``[n, 4]``, ``x1 y1 x2 y2`` in pixels of the frame.
        confidence: ``[n]``.
        class_ids: ``[n]``.
        labels: ``[m, 4]``.
        label_classes: ``[m]``.
        rule: See above.
        frame_height: Height of the frame in pixels, for the bands of distance.
        max_det: Most detections of each class that are looked at, the most confident ones.
        crowd: bool ``[m]``, labels that stand for many objects; none if None. Only for the rule ``coco``.

    Example:
        >>> box = np.array([[0, 0, 10, 10.0]])
        >>> found = match_boxes(box, np.array([0.9]), np.array([0]), box, np.array([0]))
        >>> int(found.hits[0, 0]) == 0b1111111111, found.labels[0][:3]
        (True, (1, 1, 0))
    """
    bands = BANDS if rule == "coco" else BANDS[:1]
    is_crowd = np.zeros(len(labels), bool) if crowd is None else crowd
    order = np.argsort(-np.asarray(confidence, np.float64), kind="stable")
    kept, hits, ignored = [], [], []
    counted: dict[int, tuple[int, ...]] = {}
    for class_id in sorted({*class_ids.tolist(), *label_classes.tolist()}):
        of_class = order[class_ids[order] == class_id][:max_det]
        wanted = label_classes == class_id
        truth, many = labels[wanted], is_crowd[wanted]
        outside = ~np.stack([band.holds(truth, frame_height) for band in bands])
        counted[class_id] = tuple((~outside & ~many).sum(1).tolist())
        if rule == "coco":
            beyond = ~np.stack([band.holds(boxes[of_class], frame_height) for band in bands], axis=1)
            hit, ignore = _match_coco(boxes[of_class], truth, outside, many, beyond)
        else:
            hit = _match_best(boxes[of_class], truth, strict=rule == "yolop")[:, None]
            ignore = np.zeros_like(hit)
        kept.append(of_class)
        hits.append((hit * _BITS).sum(-1))
        ignored.append((ignore * _BITS).sum(-1))
    rows = np.concatenate([*kept, np.empty(0, np.int64)]).astype(np.int64)
    falling = np.argsort(-np.asarray(confidence, np.float64)[rows], kind="stable")
    none = np.empty((0, len(bands)), np.int64)
    return BoxMatches(
        np.asarray(confidence, np.float32)[rows[falling]],
        np.asarray(class_ids, np.int16)[rows[falling]],
        np.concatenate([*hits, none])[falling].astype(np.uint16),
        np.concatenate([*ignored, none])[falling].astype(np.uint16),
        counted,
    )


def _match_coco(
    boxes: NDArray[np.floating],
    labels: NDArray[np.floating],
    outside: NDArray[np.bool_],
    crowd: NDArray[np.bool_],
    beyond: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """COCO's matching for all bands and thresholds at once.

    Args:
        boxes: ``[n, 4]`` of one class, by falling confidence.
        labels: ``[m, 4]`` of that class.
        outside: bool ``[bands, m]``, labels that are not of the band.
        crowd: bool ``[m]``.
        beyond: bool ``[n, bands]``, detections that are not of the band.

    Returns:
        Hits and ignored ones, bool ``[n, bands, thresholds]``.
    """
    shape = (len(boxes), len(outside), len(IOU_THRESHOLDS))
    hit, ignored = np.zeros(shape, bool), np.zeros(shape, bool)
    taken = np.zeros(shape, bool)
    if len(boxes) and len(labels):
        overlap = _overlap(boxes, labels, crowd)
        uncounted = outside | crowd
        free = np.ones((*shape[1:], len(labels)), bool)
        enough = np.minimum(IOU_THRESHOLDS, 1 - 1e-10)[None, :, None]
        for i in np.flatnonzero(overlap.max(1) >= IOU_THRESHOLDS[0]):
            possible = free & (overlap[i] >= enough)
            worth = np.where(possible, overlap[i] + 2 * ~uncounted[:, None], 0)
            best = len(labels) - 1 - worth[..., ::-1].argmax(-1)  # of equals the last, as in COCO's own code
            taken[i] = possible.any(-1)
            counts = ~np.take_along_axis(uncounted, best, 1)
            hit[i], ignored[i] = taken[i] & counts, taken[i] & ~counts
            band, threshold = np.nonzero(taken[i] & ~crowd[best])
            free[band, threshold, best[band, threshold]] = False
    return hit, ignored | (~taken & beyond[:, :, None])


def _overlap(
    boxes: NDArray[np.floating], labels: NDArray[np.floating], crowd: NDArray[np.bool_]
) -> NDArray[np.floating]:
    """Intersection over union; with a crowd the share of the detection that lies within it."""
    overlap = iou_matrix(boxes, labels, np.float64)
    if crowd.any():
        areas = np.maximum(box_areas(boxes, np.float64), 1e-300)
        overlap[:, crowd] = intersection_matrix(boxes, labels[crowd], np.float64) / areas[:, None]
    return overlap


def _match_best(boxes: NDArray[np.floating], labels: NDArray[np.floating], strict: bool) -> NDArray[np.bool_]:
    """Hits where each detection stands for the label it overlaps most, bool ``[n, thresholds]``."""
    hits = np.zeros((len(boxes), len(IOU_THRESHOLDS)), bool)
    if len(boxes) and len(labels):
        overlap = iou_matrix(boxes, labels, np.float64)
        best, most = overlap.argmax(1), overlap.max(1)
        above = np.greater if strict else np.greater_equal
        claims = np.flatnonzero(above(most, IOU_THRESHOLDS[0]))
        _, first = np.unique(best[claims], return_index=True)  # of each label the most confident claim
        hits[claims[first]] = above(most[claims[first], None], IOU_THRESHOLDS)
    return hits
