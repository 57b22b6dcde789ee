"""The frames where a network fails most, pictured with their labels."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data.dataset import Dataset
from yolopv2.data.sample import IGNORE, Sample
from yolopv2.data.sheet import sample_to_scene
from yolopv2.errors import YolopError
from yolopv2.evaluation.detection import IOU_THRESHOLDS, BoxMatches
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.result import Evaluation
from yolopv2.files import encode_image
from yolopv2.geometry.boxes import iou_matrix
from yolopv2.inference.postprocess import Thresholds
from yolopv2.inference.predictor import Predictor
from yolopv2.media import Frame
from yolopv2.scene.palette import VERMILION

CONFIDENCE = 0.3
"""From which confidence on a box counts as seen in the gallery, as in prediction."""

MOST_FRAMES = 4
"""Frames of each task: with two pictures each the page stays small enough to be mailed."""

_WIDTH = 560

_LAYERS = {"vehicles": ("boxes",), "drivable": ("drivable",), "lanes": ("lanes",)}
_TITLES = {
    "vehicles": (
        "Vehicles",
        f"Most vehicles missed and boxes wrong, at confidence {CONFIDENCE} and IoU 0.5. Boxes that no box of the other "
        "side overlaps by so much are orange: missed on the left, wrong on the right.",
    ),
    "drivable": ("Drivable area", "Lowest IoU of the frame."),
    "lanes": ("Lane markings", "Lowest IoU of the frame."),
}


@dataclass(frozen=True)
class Worst:
    """One of the worst frames of a task.

    Attributes:
        index: Its number in the data set.
        id: What it is called there.
        words: How bad it is.
    """

    index: int
    id: str
    words: str


@dataclass(frozen=True)
class Picture:
    """One frame of the gallery: pictures as data URIs, of ``width`` x ``height`` pixels."""

    id: str
    words: str
    labelled: str
    seen: str
    width: int
    height: int


@dataclass(frozen=True)
class Group:
    """The worst frames of one task, worst first."""

    task: str
    title: str
    how: str
    frames: list[Picture]


def worst_frames(records: Iterable[FrameRecord], most: int = MOST_FRAMES) -> dict[str, list[Worst]]:
    """The frames where each task fails most, worst first; those without any fault are left out.

    Args:
        records: Of the frames.
        most: At most so many for each task.

    Returns:
        By task: ``vehicles``, ``drivable``, ``lanes``; a task that was not scored is not there.
    """
    records = list(records)
    found: dict[str, list[Worst]] = {}
    ranked: list[tuple[Any, Worst]] = []
    for record in records:
        missed, wrong = (0, 0) if record.boxes is None else _missed_and_wrong(record.boxes)
        if record.boxes is not None and missed + wrong:
            words = f"{missed} of {_labels(record.boxes)} vehicles missed, {wrong} boxes wrong"
            ranked.append((-missed - wrong, Worst(record.index, record.id, words)))
    found["vehicles"] = _first(ranked, most)
    for task in ("drivable", "lanes"):
        ranked = []
        for record in records:
            counts = getattr(record, task)
            if counts is not None and counts.fp + counts.fn:
                iou = counts.scores()["iou"]
                words = f"IoU {iou:.3f}; {counts.fn:,} pixels missed, {counts.fp:,} wrong"
                ranked.append(((iou, -counts.fp - counts.fn), Worst(record.index, record.id, words)))
        found[task] = _first(ranked, most)
    return {task: frames for task, frames in found.items() if frames}


def picture_frames(
    evaluation: Evaluation, predictor: Predictor, dataset: Dataset, progress: Callable[[], object] | None = None
) -> list[Group]:
    """Looks again at the worst frames of an evaluation and pictures them beside their labels.

    Args:
        evaluation: Whose frames these are.
        predictor: The network that was evaluated.
        dataset: The split it was evaluated on.
        progress: Called after each frame.

    Returns:
        A group for each task that was scored, worst frame first. A frame that can no longer be read is left out.
    """
    groups = []
    for task, frames in worst_frames(evaluation.frames).items():
        pictures = []
        for worst in frames:
            try:
                sample = dataset[worst.index]
            except (YolopError, IndexError):
                continue
            pictures.append(_picture(task, worst, sample, evaluation, predictor, dataset.names))
            if progress is not None:
                progress()
        groups.append(Group(task, *_TITLES[task], pictures))
    return [group for group in groups if group.frames]


def _picture(
    task: str, worst: Worst, sample: Sample, evaluation: Evaluation, predictor: Predictor, names: dict[int, str]
) -> Picture:
    rules = evaluation.rules
    thresholds = Thresholds(CONFIDENCE, rules.nms_iou, max_det=rules.max_det)
    (scene,) = predictor([Frame(sample.image, sample.source, worst.index)], thresholds)
    layers = [*_LAYERS[task], *(["labels"] if task == "vehicles" and len(names) > 1 else [])]
    unknown = getattr(sample, task, None)
    labels = sample_to_scene(sample, names)
    pictures = []
    for each, other in ((labels, scene), (scene, labels)):
        drawn = each.draw(sample.image, layers=layers)
        if unknown is not None:
            drawn[unknown == IGNORE] //= 2
        drawn = _small(drawn)
        if task == "vehicles":
            _mark_lonely(drawn, each.vehicles.xyxy, other.vehicles.xyxy, drawn.shape[1] / each.width)
        pictures.append(drawn)
    height, width = pictures[0].shape[:2]
    labelled, seen = map(_data_uri, pictures)
    return Picture(worst.id, worst.words, labelled, seen, width, height)


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    scale = min(1.0, _WIDTH / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _mark_lonely(
    picture: NDArray[np.uint8], boxes: NDArray[np.float32], others: NDArray[np.float32], scale: float
) -> None:
    """Draws the boxes without a partner on the other side, whatever its class, over the picture."""
    lonely = iou_matrix(boxes, others).max(1, initial=0) < IOU_THRESHOLDS[0]
    for x1, y1, x2, y2 in (boxes[lonely] * scale).round().astype(int).tolist():
        cv2.rectangle(picture, (x1, y1), (x2 - 1, y2 - 1), VERMILION, 1, cv2.LINE_AA)


def _data_uri(picture: NDArray[np.uint8]) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(encode_image(picture, ".jpg")).decode("ascii")


def _first(ranked: list[tuple[Any, Worst]], most: int) -> list[Worst]:
    ranked.sort(key=lambda pair: (pair[0], pair[1].index))
    return [worst for _, worst in ranked[:most]]


def _labels(boxes: BoxMatches) -> int:
    return sum(counts[0] for counts in boxes.labels.values())


def _missed_and_wrong(boxes: BoxMatches) -> tuple[int, int]:
    """Labels that no box hits, and boxes that hit none, among those confident enough."""
    confident = boxes.confidence >= CONFIDENCE
    hit, ignored = boxes.hits[confident, 0] & 1, boxes.ignored[confident, 0] & 1
    hits = int(hit.sum())
    return _labels(boxes) - hits, int(np.count_nonzero((hit | ignored) == 0))
