"""What is wrong with the labels of a data set, and where."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from yolopv2.data.dataset import Dataset
from yolopv2.data.sample import IGNORE, Sample
from yolopv2.errors import YolopError
from yolopv2.geometry.masks import mask_box

TASKS = ("boxes", "drivable", "lanes")
"""The labels of a `Sample` that a network learns from."""

_EDGE = 1.0
"""Pixels by which a box may leave its frame: labels are rounded."""

_ALIGNED = 0.5
"""Least overlap (intersection over union) of a box and the extent of its instance mask."""


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        kind: ``unreadable``, ``missing``, ``empty``, ``misaligned`` or ``out of range``.
        message: Where, and what.
    """

    kind: str
    message: str


def check_dataset(dataset: Dataset, progress: Callable[[], object] | None = None) -> list[Finding]:
    """Reads every frame and looks at its labels.

    A label counts as missing where other frames have it: frames without lanes throughout are for another task.

    Args:
        dataset: One split.
        progress: Called after each frame.

    Returns:
        What was found, in the order of the frames, missing labels last.
    """
    findings: list[Finding] = []
    lacking: dict[str, list[str]] = {task: [] for task in TASKS}
    readable = 0
    for index in range(len(dataset)):
        try:
            sample = dataset[index]
        except YolopError as error:
            findings.append(Finding("unreadable", str(error)))
        else:
            readable += 1
            findings += check_sample(sample, dataset.names)
            for task, sources in lacking.items():
                if getattr(sample, task) is None:
                    sources.append(sample.source)
        if progress is not None:
            progress()
    if not len(dataset):
        findings.append(Finding("missing", "there are no frames"))
    elif readable and all(len(sources) == readable for sources in lacking.values()):
        findings.append(Finding("missing", "no frame has any label"))
    for task, sources in lacking.items():
        if len(sources) < readable:
            findings += [Finding("missing", f"{source}: no {task}, other frames have them") for source in sources]
    return findings


def check_sample(sample: Sample, names: dict[int, str]) -> list[Finding]:
    """Looks at the labels of one frame; missing ones are none of its business.

    Args:
        sample: The frame.
        names: Class names by class id.

    Example:
        >>> sample = Sample(np.zeros((9, 9, 3), np.uint8), lanes=np.zeros((9, 9), np.uint8), source="val/a")
        >>> check_sample(sample, {})
        [Finding(kind='empty', message='val/a: lanes: nothing is marked')]
    """
    found = [*_check_boxes(sample, names), *_check_instance_masks(sample)]
    found += [*_check_mask(sample, "drivable"), *_check_mask(sample, "lanes")]
    return [Finding(kind, f"{sample.source}: {message}") for kind, message in found]


def _check_boxes(sample: Sample, names: dict[int, str]) -> Iterator[tuple[str, str]]:
    if sample.boxes is None or sample.class_ids is None:
        return
    if not len(sample.boxes):
        yield "empty", "boxes: there are none"
    height, width = sample.image.shape[:2]
    for number, (box, class_id) in enumerate(zip(sample.boxes, sample.class_ids, strict=True), start=1):
        x1, y1, x2, y2 = (float(value) for value in box)
        place = f"box {number} ({x1:.1f} {y1:.1f} {x2:.1f} {y2:.1f})"
        if not np.isfinite(box).all():
            yield "out of range", f"{place} is no box"
        elif x2 <= x1 or y2 <= y1:
            yield "empty", f"{place} has no area"
        elif min(x1, y1) < -_EDGE or x2 > width + _EDGE or y2 > height + _EDGE:
            yield "out of range", f"{place} leaves the frame of {width}x{height}"
        if int(class_id) not in names:
            yield "out of range", f"{place} has the class {class_id}, the classes are {sorted(names)}"


def _check_instance_masks(sample: Sample) -> Iterator[tuple[str, str]]:
    if sample.masks is None or sample.boxes is None:
        return
    for number, (box, mask) in enumerate(zip(sample.boxes, sample.masks, strict=True), start=1):
        x, y, width, height = mask_box(mask)
        if not width:
            yield "empty", f"the mask of box {number} marks nothing"
            continue
        extent = np.array([x, y, x + width, y + height])
        sides = np.maximum(np.minimum(box[2:], extent[2:]) - np.maximum(box[:2], extent[:2]), 0)
        union = np.prod(box[2:] - box[:2]) + width * height - np.prod(sides)
        if np.prod(sides) < _ALIGNED * union:
            yield "misaligned", f"the mask of box {number} is elsewhere: {' '.join(map(str, extent))}"


def _check_mask(sample: Sample, task: str) -> Iterator[tuple[str, str]]:
    mask = getattr(sample, task)
    if mask is None:
        return
    strange = sorted({*np.unique(mask).tolist()} - {0, 1, IGNORE})
    if strange:
        yield "out of range", f"{task}: values {strange}, only 0, 1 and {IGNORE} mean something"
    elif not (mask == 1).any():
        yield "empty", f"{task}: nothing is marked"
    if mask.shape != sample.image.shape[:2]:
        yield "misaligned", f"{task}: another size than the frame"
