"""Panoptic quality (arXiv 1801.00868), and its weaker relatives for networks that give no instance masks."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yolopv2.data.sample import IGNORE, Sample
from yolopv2.evaluation.segmentation import MaskCounts
from yolopv2.geometry.boxes import iou_matrix
from yolopv2.scene.panoptic import categories

VOID = -1
"""Pixels of a label map that nobody labelled."""

_MATCH = 0.5


@dataclass(frozen=True)
class SegmentMatches:
    """Matched segments of one category; they add up.

    Attributes:
        ious: Overlap of each matched pair, above 0.5.
        fp: Predicted segments without a label.
        fn: Labelled segments without a prediction.
    """

    ious: tuple[float, ...] = ()
    fp: int = 0
    fn: int = 0

    def __add__(self, other: "SegmentMatches") -> "SegmentMatches":
        return SegmentMatches(self.ious + other.ious, self.fp + other.fp, self.fn + other.fn)

    @property
    def segments(self) -> int:
        """Pairs and lonely ones together; without any there is no quality."""
        return len(self.ious) + self.fp + self.fn

    def quality(self) -> dict[str, float]:
        """``pq = sq * rq``: ``sq`` is the mean overlap of the pairs (0 without any), ``rq`` the F1 of matching.

        The sum is exact whatever the order, so that frames may be added in any. Nan without segments.
        """
        if not self.segments:
            return {"pq": math.nan, "sq": math.nan, "rq": math.nan}
        total, pairs = math.fsum(self.ious), len(self.ious)
        denominator = pairs + self.fp / 2 + self.fn / 2
        return {"pq": total / denominator, "sq": total / pairs if pairs else 0.0, "rq": pairs / denominator}


def mean_quality(matches: Iterable[SegmentMatches]) -> dict[str, float] | None:
    """Mean of ``pq``, ``sq`` and ``rq`` over the categories that occur; None when none does."""
    qualities = [each.quality() for each in matches if each.segments]
    if not qualities:
        return None
    return {name: math.fsum(quality[name] for quality in qualities) / len(qualities) for name in ("pq", "sq", "rq")}


def match_segments(
    predicted: NDArray[np.integer],
    predicted_categories: Mapping[int, int],
    labelled: NDArray[np.integer],
    label_categories: Mapping[int, int],
    crowds: frozenset[int] = frozenset(),
) -> dict[int, SegmentMatches]:
    """Matches the segments of two panoptic maps.

    Two segments match when they are of one category and overlap by more than half. Void pixels are left out of the
    union. A predicted segment that lies by more than half on void, or on void and crowds of its own category, is no
    false alarm; a crowd is never missed.

    Args:
        predicted: Segment ids ``[H, W]``, 0 where nothing is seen.
        predicted_categories: Category of each predicted id.
        labelled: Segment ids ``[H, W]``, 0 where there is nothing, `VOID` where nobody knows.
        label_categories: Category of each labelled id.
        crowds: Labelled ids that stand for many objects.

    Returns:
        What was found by category.
    """
    shared, predicted_area, label_area = _areas(predicted, labelled)
    void = {p: count for (label, p), count in shared.items() if label == VOID}
    ious: dict[int, list[float]] = {}
    found: set[int] = set()
    met: set[int] = set()
    for (label, p), count in shared.items():
        category = label_categories.get(label)
        if category is None or label in crowds or predicted_categories.get(p) != category:
            continue
        iou = count / (predicted_area[p] + label_area[label] - count - void.get(p, 0))
        if iou > _MATCH:  # so no segment can match twice
            ious.setdefault(category, []).append(iou)
            found.add(label)
            met.add(p)
    result = {category: SegmentMatches(tuple(values)) for category, values in ious.items()}
    for label, category in label_categories.items():
        if label in label_area and label not in found and label not in crowds:
            result[category] = result.get(category, SegmentMatches()) + SegmentMatches(fn=1)
    for p, category in predicted_categories.items():
        if p not in predicted_area or p in met:
            continue
        excused = void.get(p, 0)
        excused += sum(shared.get((crowd, p), 0) for crowd in crowds if label_categories.get(crowd) == category)
        if excused <= _MATCH * predicted_area[p]:
            result[category] = result.get(category, SegmentMatches()) + SegmentMatches(fp=1)
    return result


def _areas(
    predicted: NDArray[np.integer], labelled: NDArray[np.integer]
) -> tuple[dict[tuple[int, int], int], dict[int, int], dict[int, int]]:
    """Pixels that each pair of (labelled, predicted) ids shares, and that each id of both maps has."""
    offset = VOID
    width = int(predicted.max(initial=0)) + 1
    pairs = np.bincount(((labelled.astype(np.int64) - offset) * width + predicted).ravel())
    shared: dict[tuple[int, int], int] = {}
    predicted_area: dict[int, int] = {}
    label_area: dict[int, int] = {}
    for pair in np.flatnonzero(pairs):
        label, p, count = int(pair // width) + offset, int(pair % width), int(pairs[pair])
        shared[label, p] = count
        label_area[label] = label_area.get(label, 0) + count
        predicted_area[p] = predicted_area.get(p, 0) + count
    return shared, predicted_area, label_area


def label_map(sample: Sample, names: Mapping[int, str]) -> tuple[NDArray[np.int32], dict[int, int]]:
    """The panoptic map of a sample's labels, with ids and categories as in `yolopv2.scene.Scene.panoptic`.

    A vehicle lies over lane markings and these over the drivable area; where a mask says that nobody knows, and no
    vehicle and no marking lies, the pixel is void.

    Args:
        sample: With all four labels: boxes with instance masks, drivable area, lanes.
        names: Class names by class id.

    Returns:
        Segment ids int32 ``[H, W]``, and the category of each id.
    """
    if sample.class_ids is None or sample.masks is None or sample.drivable is None or sample.lanes is None:
        raise ValueError("a panoptic map needs instance masks, drivable area and lanes")
    *_, drivable, lane = categories(names)
    count = len(sample.masks)
    ids = np.zeros(sample.image.shape[:2], np.int32)
    ids[sample.drivable == 1] = count + 1
    ids[(sample.drivable == IGNORE) | (sample.lanes == IGNORE)] = VOID
    ids[sample.lanes == 1] = count + 2
    for row, mask in enumerate(sample.masks):
        ids[mask] = row + 1
    of_ids = {row + 1: int(class_id) for row, class_id in enumerate(sample.class_ids)}
    return ids, of_ids | {count + 1: drivable["id"], count + 2: lane["id"]}


def pair_boxes(
    boxes: NDArray[np.floating],
    class_ids: NDArray[np.integer],
    labels: NDArray[np.floating],
    label_classes: NDArray[np.integer],
) -> list[tuple[int, int, float]]:
    """Pairs of a box and a label of one class, by falling overlap, above 0.5, each in one pair.

    Returns:
        Row of the box, row of the label, and their IoU, for each pair.

    Args:
        boxes: ``[n, 4]``, ``x1 y1 x2 y2``.
        class_ids: ``[n]``.
        labels: ``[m, 4]``.
        label_classes: ``[m]``.

    Example:
        >>> box, vehicle = np.array([[0, 0, 9, 9.0]]), np.array([0])
        >>> pair_boxes(box, vehicle, box, vehicle)
        [(0, 0, 1.0)]
    """
    overlap = iou_matrix(boxes, labels, np.float64)
    overlap[class_ids[:, None] != label_classes] = 0
    pairs = []
    while overlap.size and overlap.max() > _MATCH:
        i, j = np.unravel_index(overlap.argmax(), overlap.shape)
        pairs.append((int(i), int(j), float(overlap[i, j])))
        overlap[i, :] = overlap[:, j] = 0
    return pairs


def box_segments(
    pairs: Sequence[tuple[int, int, float]], class_ids: NDArray[np.integer], label_classes: NDArray[np.integer]
) -> dict[int, SegmentMatches]:
    """Boxes in the place of segments, for ``box_pq``, by class.

    Boxes may lie over each other, which segments may not, so this is not panoptic quality and never called so.

    Args:
        pairs: From `pair_boxes`.
        class_ids: Of all boxes, ``[n]``.
        label_classes: Of all labels, ``[m]``.

    Example:
        >>> box_segments([(0, 0, 1.0)], np.array([0]), np.array([0]))
        {0: SegmentMatches(ious=(1.0,), fp=0, fn=0)}
    """
    result = {}
    for class_id in sorted({*class_ids.tolist(), *label_classes.tolist()}):
        ious = tuple(iou for row, _, iou in pairs if class_ids[row] == class_id)
        seen, labelled = ((ids == class_id).sum() for ids in (class_ids, label_classes))
        result[class_id] = SegmentMatches(ious, int(seen) - len(ious), int(labelled) - len(ious))
    return result


def match_stuff(counts: MaskCounts) -> SegmentMatches:
    """One frame's mask as one segment, for ``stuff_pq``: drivable area or lane markings by themselves.

    Example:
        >>> match_stuff(MaskCounts(tp=3, fp=1)), match_stuff(MaskCounts(tp=1, fp=2))
        (SegmentMatches(ious=(0.75,), fp=0, fn=0), SegmentMatches(ious=(), fp=1, fn=1))
    """
    union = counts.tp + counts.fp + counts.fn
    if counts.tp > _MATCH * union:
        return SegmentMatches((counts.tp / union,))
    predicted = counts.tp + counts.fp + counts.ignored
    is_excused = counts.ignored > _MATCH * predicted
    return SegmentMatches(fp=int(predicted > 0 and not is_excused), fn=int(counts.tp + counts.fn > 0))
