"""From the records of frames to scores: the same function whatever process, shard or slice the records come from."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

from yolopv2.evaluation.curves import RECALL_POINTS, Detections, expected_error
from yolopv2.evaluation.detection import BANDS, IOU_THRESHOLDS
from yolopv2.evaluation.panoptic import SegmentMatches, match_stuff, mean_quality
from yolopv2.evaluation.protocols import Protocol
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.segmentation import MaskCounts, NearCounts

_SIZES = ("small", "medium", "large")
SHORT = {"drivable": "drivable", "lanes": "lane"}
"""How the names of a task's scores begin."""


@dataclass
class Summary:
    """Scores of some frames; see the attributes of that name of `yolopv2.evaluation.result.Evaluation`."""

    metrics: dict[str, float] = field(default_factory=dict)
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)
    per_size: dict[str, dict[str, float]] = field(default_factory=dict)
    curves: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    confusion: dict[str, dict[str, int]] = field(default_factory=dict)
    calibration: list[dict[str, float]] = field(default_factory=list)


def summarize(records: Sequence[FrameRecord], rules: Protocol, names: Mapping[int, str]) -> Summary:
    """Scores frames together.

    The result depends on the frames and not on the order or the processes they were scored in: counts are whole
    numbers, sums of fractions are exact, and detections of equal confidence are sorted by frame.

    Args:
        records: Of each frame; None of them twice.
        rules: The protocol they were scored by.
        names: The data set's class names by class id.
    """
    records = sorted(records, key=lambda record: record.index)
    summary = Summary()
    if any(record.boxes is not None for record in records):
        _detection(summary, records, rules, names)
    for task in ("drivable", "lanes"):
        _mask(summary, records, rules, task)
    if rules.panoptic:
        _panoptic(summary, records)
        overlaps = [iou for record in records for iou in record.mask_ious or ()]
        if overlaps:
            summary.metrics["mask_iou"] = math.fsum(overlaps) / len(overlaps)
    summary.metrics = {name: value for name, value in summary.metrics.items() if not math.isnan(value)}
    return summary


def _detection(summary: Summary, records: Sequence[FrameRecord], rules: Protocol, names: Mapping[int, str]) -> None:
    detections = Detections([record.boxes for record in records], rules.rule)
    for class_id in detections.classes:
        summary.per_class[names[class_id]] = _class_scores(detections, class_id, rules)
        curve = detections.curve(class_id)
        if curve is not None:
            precision, confidence = curve.at_recall()
            summary.curves[names[class_id]] = {
                "recall": RECALL_POINTS.round(2).tolist(),
                "precision": precision.tolist(),
                "confidence": confidence.tolist(),
            }
    if not summary.per_class:
        return
    point = f"at_max_{rules.best}"
    for name in ("ap50", "ap75", "ap50_95", f"precision_{point}", f"recall_{point}"):
        summary.metrics[name] = _mean(scores[name] for scores in summary.per_class.values())
    if rules.rule == "coco":
        for band, each in enumerate(BANDS):
            if each.name in _SIZES:
                summary.per_size[each.name] = _band_scores(detections, band)
                summary.metrics[f"ap50_95_{each.name}"] = summary.per_size[each.name].get("ap50_95", math.nan)
    summary.calibration = detections.calibration()
    summary.metrics["ece"] = expected_error(summary.calibration)


def _class_scores(detections: Detections, class_id: int, rules: Protocol) -> dict[str, float]:
    """Scores of one class that has labels."""
    curves = [detections.curve(class_id, k) for k in range(len(IOU_THRESHOLDS))]
    values = [curve.average_precision for curve in curves if curve is not None]
    first = curves[0]
    assert first is not None, "asked for a class without labels"
    scores = {"labels": float(first.labels), "ap50": values[0], "ap75": values[5], "ap50_95": _mean(values)}
    precision, recall, confidence = first.best_f1()
    if rules.best == "recall":
        precision, recall = first.last()
        return scores | {"precision_at_max_recall": precision, "recall_at_max_recall": recall}
    return scores | {
        "precision_at_max_f1": precision,
        "recall_at_max_f1": recall,
        "confidence_at_max_f1": confidence,
        "recall_of_all": first.last()[1],
    }


def _band_scores(detections: Detections, band: int) -> dict[str, float]:
    labels = sum(int(counts[:, band].sum()) for counts in detections.labels.values())
    if not labels:
        return {"labels": 0}
    return {
        "labels": labels,
        "ap50": detections.average_precision(0, band),
        "ap50_95": detections.mean_average_precision(band),
    }


def _mask(summary: Summary, records: Sequence[FrameRecord], rules: Protocol, task: str) -> None:
    """Scores of one mask, averaged as the protocol does."""
    counted = [record for record in records if getattr(record, task) is not None and getattr(record, task).pixels]
    if not counted:
        return
    wanted: tuple[str, ...] = getattr(rules, task)
    short = SHORT[task]
    total: MaskCounts = reduce(add, (getattr(record, task) for record in counted))
    summary.confusion[task] = {"tp": total.tp, "fp": total.fp, "fn": total.fn, "tn": total.tn}
    groups = _groups(counted, rules)
    scores = [(len(group), _mask_scores(group, task, rules)) for group in groups]
    for name in wanted:
        if name in scores[0][1]:
            weighed = math.fsum(count * score[name] for count, score in scores)
            summary.metrics[f"{short}_{name}"] = weighed / len(counted)


def _groups(records: Sequence[FrameRecord], rules: Protocol) -> list[list[FrameRecord]]:
    """Frames that are counted together: all, a batch, or each by itself."""
    size = {"dataset": len(records), "batch": rules.batch, "frame": 1}[rules.average]
    return [list(records[start : start + size]) for start in range(0, len(records), size)]


def _mask_scores(group: Sequence[FrameRecord], task: str, rules: Protocol) -> dict[str, float]:
    totals: list[Any] = []
    for name in COUNTS[task]:
        present = [counts for record in group if (counts := getattr(record, name)) is not None]
        totals.append(reduce(add, present) if present else None)
    return scores_of(rules, *totals)


COUNTS = {
    "drivable": ("drivable", "background", "drivable_boundary"),
    "lanes": ("lanes", "background", "lane_boundary", "lane_near"),
}
"""Where in a record the counts of a task are, in the order in which `scores_of` takes them."""


def scores_of(
    rules: Protocol,
    mask: MaskCounts,
    background: MaskCounts | None,
    boundary: NearCounts | None,
    near: NearCounts | None = None,
) -> dict[str, float]:
    """The scores of one task from its counts, without the task's name.

    Args:
        rules: Says what nothing to nothing is, and whose IoU the mean is taken with.
        mask: Of the class.
        background: Where a pixel is one of three.
        boundary: Of the class's boundary.
        near: Of the class's pixels.
    """
    scores = mask.scores(rules.empty)
    if background is not None:
        scores["miou"] = (scores["iou"] + background.scores(rules.empty)["iou"]) / 2
    if boundary is not None:
        scores |= {f"boundary_{name}": value for name, value in boundary.f1().items()}
    return scores if near is None else scores | near.f1()


def _panoptic(summary: Summary, records: Sequence[FrameRecord]) -> None:
    """Panoptic quality where there are instance masks on both sides; what boxes and masks allow under its own name."""
    for name, of_frame in QUALITIES.items():
        total = add_matches(of_frame(record) for record in records)
        quality = mean_quality(total.values())
        if quality is not None:
            summary.metrics |= {name.replace("pq", key): value for key, value in quality.items()}
        for category, matches in total.items():
            if matches.segments:
                counts = {"tp": len(matches.ious), "fp": matches.fp, "fn": matches.fn}
                summary.confusion[f"{name} {category}"] = counts
                if name == "pq":
                    of_one = category.replace(" ", "_")
                    summary.metrics |= {f"{key}_{of_one}": value for key, value in matches.quality().items()}


def stuff_of(record: FrameRecord) -> dict[str, SegmentMatches]:
    """A frame's drivable area and lane markings, one segment each."""
    masks = {"drivable": record.drivable, "lanes": record.lanes}
    return {task: match_stuff(counts) for task, counts in masks.items() if counts is not None}


QUALITIES: dict[str, Callable[[FrameRecord], Mapping[str, SegmentMatches] | None]] = {
    "pq": lambda record: record.segments,
    "box_pq": lambda record: record.box_pairs,
    "stuff_pq": stuff_of,
}
"""Where the matched segments of each panoptic quality are in a record."""


def add_matches(frames: Iterable[Mapping[str, SegmentMatches] | None]) -> dict[str, SegmentMatches]:
    """The matches of several frames together, by category."""
    found: dict[str, list[SegmentMatches]] = {}
    for matches in frames:
        for category, each in (matches or {}).items():
            found.setdefault(category, []).append(each)
    return {
        category: SegmentMatches(
            tuple(iou for each in parts for iou in each.ious),
            sum(each.fp for each in parts),
            sum(each.fn for each in parts),
        )
        for category, parts in sorted(found.items())
    }


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return math.fsum(values) / len(values)
