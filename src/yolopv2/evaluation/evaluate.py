"""A network against labels: the one way of scoring, for the command line, the API and training's validation."""

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

import cv2
import numpy as np

import yolopv2
from yolopv2.data.dataset import Dataset
from yolopv2.data.sample import Sample
from yolopv2.errors import YolopError
from yolopv2.evaluation.frame import Scorer
from yolopv2.evaluation.protocols import Protocol
from yolopv2.evaluation.protocols import protocol as protocol_of
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.resampling import FrameTable, intervals
from yolopv2.evaluation.result import Evaluation
from yolopv2.evaluation.summary import summarize
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference.predictor import Predictor
from yolopv2.inference.video import ahead

_MEASURED = 20
"""Frames on which the width of lane labels is measured."""

Outcome = FrameRecord | str
"""A frame's record, or why there is none."""


def evaluate(
    predictor: Predictor,
    dataset: Dataset,
    protocol: str = "dataset",
    progress: Callable[[], object] | None = None,
) -> Evaluation:
    """Scores a network on a data set.

    Args:
        predictor: With the network.
        dataset: One split, read frame by frame.
        protocol: Name of the protocol, see `yolopv2.evaluation.protocols`.
        progress: Called after each frame.

    Returns:
        What was measured. A frame that cannot be read is left out and named in ``unreadable``.

    Raises:
        YolopError: There is no such protocol, no frame could be read, or nothing could be scored.

    Example:
        >>> import tempfile
        >>> from yolopv2 import YOLOPv2
        >>> from yolopv2.data.dataset import open_dataset
        >>> from yolopv2.data.synthetic import write_dataset
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     scenes = open_dataset(write_dataset(folder, {"val": 2}, height=180, width=320), "val")
        ...     measured = evaluate(YOLOPv2("nano").predictor, scenes)
        >>> measured.protocol, measured.data["frames"], 0 <= measured.metrics["drivable_iou"] <= 1
        ('dataset', 2, True)
    """
    scorer = scorer_of(predictor, dataset, protocol)
    outcomes = []
    for outcome in score_frames(predictor, dataset, scorer, range(len(dataset))):
        outcomes.append(outcome)
        if progress is not None:
            progress()
    return conclude(outcomes, scorer, facts_of(predictor))


def scorer_of(predictor: Predictor, dataset: Dataset, protocol: str) -> Scorer:
    """What scores the frames of a data set by a protocol.

    Raises:
        YolopError: There is no such protocol.
    """
    return Scorer(protocol_of(protocol), predictor.runtime.names, dataset.names, lane_width(dataset))


def score_frames(predictor: Predictor, dataset: Dataset, scorer: Scorer, indices: Sequence[int]) -> Iterator[Outcome]:
    """Scores some frames of a data set, one at a time, reading the next ones meanwhile.

    Args:
        predictor: With the network.
        dataset: One split.
        scorer: Scores one frame.
        indices: Which frames.
    """
    fit = Letterbox.stretch if scorer.protocol.geometry == "stretch" else Letterbox.fit
    for index, sample in ahead(_read(dataset, indices), depth=2):
        if isinstance(sample, str):
            yield sample
        else:
            yield scorer(index, sample, predictor.look([sample.image], fit)[0])


def _read(dataset: Dataset, indices: Sequence[int]) -> Iterator[tuple[int, Sample | str]]:
    for index in indices:
        try:
            yield index, dataset[index]
        except YolopError as error:
            yield index, str(error)


def conclude(outcomes: Sequence[Outcome], scorer: Scorer, model: Mapping[str, Any]) -> Evaluation:
    """The evaluation that the outcomes of all frames make, in whatever order they came.

    Args:
        outcomes: Of every frame.
        scorer: That scored them.
        model: Facts of the network.

    Raises:
        YolopError: No frame could be read, or nothing could be scored.
    """
    rules = scorer.protocol
    records = sorted((each for each in outcomes if isinstance(each, FrameRecord)), key=lambda record: record.index)
    unreadable = tuple(sorted(each for each in outcomes if isinstance(each, str)))
    if not records:
        raise YolopError("no frame could be scored" + (f": {unreadable[0]}" if unreadable else ": the split is empty"))
    summary = summarize(records, rules, scorer.names)
    unavailable = _unavailable(records, scorer, summary.metrics)
    if not summary.metrics:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in unavailable.items())
        raise YolopError(f"nothing can be scored by the protocol {rules.name!r}: {reasons}")
    return Evaluation(
        protocol=rules.name,
        model=dict(model),
        data={
            "frames": len(records),
            "classes": [scorer.names[i] for i in sorted(scorer.names)],
            "lane_width": scorer.lane_width,
        },
        intervals={
            name: list(ends) for name, ends in intervals(FrameTable(records, rules).scores, len(records)).items()
        },
        unavailable=unavailable,
        notes=_notes(rules, scorer, model, unreadable),
        frames=tuple(records),
        unreadable=unreadable,
        versions={
            "yolopv2": yolopv2.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "opencv-python-headless", "openvino")},
        },
        date=datetime.now(timezone.utc).astimezone().isoformat(timespec="seconds"),
        **vars(summary),
    )


def facts_of(predictor: Predictor) -> dict[str, Any]:
    """What a predictor knows of its network."""
    names = predictor.runtime.names
    return {
        "runtime": predictor.runtime.description,
        "size": predictor.size,
        "classes": [names[class_id] for class_id in sorted(names)],
    }


def lane_width(dataset: Dataset) -> float | None:
    """Width of the lane labels in pixels of the frame, on which every lane score depends.

    Measured, since no format says it: along the middle of the markings of up to twenty frames, evenly spaced, twice
    the distance to the nearest unmarked pixel; the median. Lines drawn 2 wide measure 2, BDD100K's filled edges 5.

    Returns:
        Rounded to tenths; None where no lanes are labelled.
    """
    found = []
    for index in np.unique(np.linspace(0, len(dataset) - 1, _MEASURED).astype(int)) if len(dataset) else ():
        try:
            lanes = dataset[int(index)].lanes
        except YolopError:
            continue  # named when it is scored
        if lanes is None or not (lanes == 1).any():
            continue
        marked = (lanes == 1).astype(np.uint8)
        distance = cv2.distanceTransform(marked, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        middle = (distance == cv2.dilate(distance, np.ones((3, 3), np.uint8))) & (marked == 1)
        found.append(2 * float(np.median(distance[middle])) - 1)
    return round(float(np.median(found)), 1) if found else None


def _unavailable(records: Sequence[FrameRecord], scorer: Scorer, metrics: Mapping[str, float]) -> dict[str, str]:
    """What cannot be had, and why: a missing score must not pass for a forgotten one."""
    rules, reasons = scorer.protocol, dict(scorer.protocol.cannot)
    if scorer.missing_classes:
        missing = ", ".join(scorer.missing_classes)
        reasons["ap"] = f"it is the mean over {len(rules.classes or ())} classes; not seen or not labelled: {missing}"
    elif not scorer.class_ids:
        reasons["ap"] = (
            f"the network sees {', '.join(scorer.network_names.values()) or 'no classes'}, the data labels "
            f"{', '.join(scorer.names.values())}: name the classes alike in the data set's YAML"
        )
    elif "ap50" not in metrics:
        reasons["ap"] = "no box is labelled, or the network has no detection head"
    for task in ("drivable", "lanes"):
        if getattr(rules, task) and all(getattr(record, task) is None for record in records):
            needs_both = " (this protocol needs both masks)" if rules.exclusive else ""
            reasons[task] = f"no frame has such labels, or the network has no such head{needs_both}"
    if rules.panoptic and "pq" not in metrics:
        reasons["pq"] = "it needs instance masks of the network and of the labels; see box_pq and stuff_pq"
    return reasons


def _notes(rules: Protocol, scorer: Scorer, model: Mapping[str, Any], unreadable: Sequence[str]) -> tuple[str, ...]:
    notes = []
    if rules.size not in (None, model["size"]):
        notes.append(f"the protocol is defined at size {rules.size}, this was measured at {model['size']}")
    unseen = [name for class_id, name in scorer.names.items() if class_id not in scorer.class_ids.values()]
    if unseen and scorer.class_ids:
        notes.append(f"classes the network does not know are left out: {', '.join(sorted(unseen))}")
    if rules.lane_width is not None and (scorer.lane_width or 0) > rules.lane_width:
        notes.append(f"lane labels are {scorer.lane_width} px wide already and were not widened to {rules.lane_width}")
    if unreadable:
        notes.append(f"{len(unreadable)} frames could not be read and are left out")
    return tuple(notes)
