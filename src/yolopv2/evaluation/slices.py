"""Scores of parts of a data set: by weather, time of day and scene, by brightness, by size and distance of objects."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from yolopv2.evaluation.detection import BANDS
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.resampling import RESAMPLES, FrameTable, intervals
from yolopv2.evaluation.result import Evaluation

DARK = 70.0
"""Mean grey value below which a frame is dark: of BDD100K's frames few lie between 60 and 80, and nights below."""

TIME_OF_DAY = "timeofday"
"""The attribute that tells night; where no frame has it, measured brightness is sliced instead."""


@dataclass(frozen=True)
class Slice:
    """One part of the frames or of the objects.

    Attributes:
        group: What it is a part by, such as ``weather``, ``brightness``, ``size`` or ``distance``.
        name: Which part, such as ``rainy``, ``dark``, ``small`` or ``far``.
        frames: How many frames it has, or that hold such objects.
        labels: How many labelled boxes.
        scores: For each score its value and the ends of its 95 % bootstrap interval over frames.
    """

    group: str
    name: str
    frames: int
    labels: int
    scores: Mapping[str, tuple[float, float, float]]


def slices(evaluation: Evaluation, resamples: int = RESAMPLES, seed: int = 0) -> list[Slice]:
    """Cuts an evaluation into parts.

    Frames are cut by each attribute the data set has (BDD100K: weather, scene, time of day), or into dark and bright
    where none tells the time of day. Objects are cut by COCO's sizes, and by distance, approximated by the height of
    the box in the frame, where the protocol matches boxes as COCO does.

    Args:
        evaluation: What was measured.
        resamples: See `yolopv2.evaluation.resampling.intervals`.
        seed: See there.

    Returns:
        All of the frames first, then part by part. A part whose interval overlaps another's is not thereby worse.
    """
    records = evaluation.frames
    parts = [_by_frame("all", "all", records, evaluation, resamples, seed)]
    for group, values in _frame_groups(records):
        for name in sorted(set(values) - {""}):
            chosen = [record for record, value in zip(records, values, strict=True) if value == name]
            parts.append(_by_frame(group, name, chosen, evaluation, resamples, seed))
    if evaluation.rules.rule == "coco":
        parts += _by_object(records, evaluation, resamples, seed)
    return parts


def _frame_groups(records: Sequence[FrameRecord]) -> Iterator[tuple[str, list[str]]]:
    """What frames can be cut by, and the value of each frame; empty where it is not known."""
    names = sorted({name for record in records for name in record.attributes})
    for name in names:
        yield name, [record.attributes.get(name, "") for record in records]
    if TIME_OF_DAY not in names:
        yield "brightness", ["dark" if record.brightness < DARK else "bright" for record in records]


def _by_frame(
    group: str, name: str, records: Sequence[FrameRecord], evaluation: Evaluation, resamples: int, seed: int
) -> Slice:
    table = FrameTable(records, evaluation.rules)
    scores = _with_intervals(table.scores, len(records), resamples, seed)
    return Slice(group, name, len(records), int(_labels(table, 0).sum()), scores)


def _by_object(records: Sequence[FrameRecord], evaluation: Evaluation, resamples: int, seed: int) -> Iterator[Slice]:
    table = FrameTable(records, evaluation.rules)
    for band, each in enumerate(BANDS):
        labels = _labels(table, band)
        if band and labels.any():
            group = "distance" if each.by_height else "size"
            scores = _with_intervals(partial(table.band_scores, band), len(records), resamples, seed)
            yield Slice(group, each.name, int(np.count_nonzero(labels)), int(labels.sum()), scores)


def _labels(table: FrameTable, band: int) -> NDArray[np.int64]:
    """Labelled boxes of each frame."""
    total = np.zeros(table.frames, np.int64)
    for counts in table.detections.labels.values() if table.detections is not None else ():
        total += counts[:, band]
    return total


def _with_intervals(
    scores: Callable[[NDArray[np.int64]], Mapping[str, float]], frames: int, resamples: int, seed: int
) -> dict[str, tuple[float, float, float]]:
    ends = intervals(scores, frames, resamples, seed)
    values = scores(np.ones(frames, np.int64))
    return {name: (value, ends[name][0], ends[name][1]) for name, value in values.items() if name in ends}
