"""One frame scored: what the network gave for it against its labels, by the rules of a protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data.sample import IGNORE, Sample
from yolopv2.evaluation.detection import match_boxes
from yolopv2.evaluation.panoptic import SegmentMatches, label_map, match_boxes_one_to_one, match_segments
from yolopv2.evaluation.protocols import Protocol
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.segmentation import MaskCounts, NearCounts
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference.postprocess import Thresholds, to_scene, to_vehicles
from yolopv2.inference.predictor import Look
from yolopv2.media import Frame
from yolopv2.scene import Scene, Vehicles
from yolopv2.scene.panoptic import categories

_STEP = 8
"""Brightness is measured on every eighth pixel."""


@dataclass(frozen=True)
class Scorer:
    """Scores frames one by one.

    Attributes:
        protocol: Its rules.
        network_names: The network's class names by class id.
        names: The data set's class names by class id.
        lane_width: Width of the labels' markings in pixels, for protocols that widen them; None where it is not known.
    """

    protocol: Protocol
    network_names: Mapping[int, str]
    names: Mapping[int, str]
    lane_width: float | None = None

    @cached_property
    def class_ids(self) -> dict[int, int]:
        """The data set's class id of each class of the network that it labels."""
        by_name = {name: class_id for class_id, name in self.names.items()}
        return {own: by_name[name] for own, name in self.network_names.items() if name in by_name}

    @cached_property
    def missing_classes(self) -> list[str]:
        """Classes that the protocol is the mean over and that the network does not know or the data does not label."""
        return sorted(set(self.protocol.classes or ()) - {self.names[i] for i in self.class_ids.values()})

    def __call__(self, index: int, sample: Sample, look: Look) -> FrameRecord:
        """Scores a frame.

        Args:
            index: Its number in the data set.
            sample: It and its labels.
            look: What the network gave for it.
        """
        record: dict[str, Any] = {
            "brightness": round(float(cv2.cvtColor(sample.image[::_STEP, ::_STEP], cv2.COLOR_RGB2GRAY).mean()), 2),
            **self._boxes(sample, look),
            **self._masks(sample, look),
        }
        if self.protocol.panoptic:
            record |= self._panoptic(sample, look)
        return FrameRecord(index, sample.source, sample.attributes, **record)

    def _boxes(self, sample: Sample, look: Look) -> dict[str, Any]:
        candidates, row, letterbox = look
        if sample.boxes is None or sample.class_ids is None or not candidates.boxes.shape[1] or not self.class_ids:
            return {}
        if self.missing_classes:
            return {}
        rules = self.protocol
        thresholds = Thresholds(rules.confidence, rules.nms_iou, max_det=rules.max_det)
        vehicles = self._in_classes_of_data(
            to_vehicles(candidates.boxes[row], candidates.scores[row], letterbox, thresholds)
        )
        labelled = np.isin(sample.class_ids, list(self.class_ids.values()))
        matches = match_boxes(
            vehicles.xyxy,
            vehicles.confidence,
            vehicles.class_id,
            sample.boxes[labelled],
            sample.class_ids[labelled],
            rules.rule,
            letterbox.frame_height,
            rules.max_det,
        )
        return {"boxes": matches}

    def _in_classes_of_data(self, vehicles: Vehicles) -> Vehicles:
        known = vehicles[np.isin(vehicles.class_id, list(self.class_ids))]
        class_id = np.array([self.class_ids[own] for own in known.class_id.tolist()], np.int64)
        return Vehicles(known.xyxy, known.confidence, class_id, known.instances)

    def _masks(self, sample: Sample, look: Look) -> dict[str, Any]:
        rules = self.protocol
        candidates, row, letterbox = look
        pairs: dict[str, tuple[NDArray[np.bool_], NDArray[np.uint8]]] = {}
        for task, probability, label, threshold in (
            ("drivable", candidates.drivable, sample.drivable, rules.drivable_threshold),
            ("lanes", candidates.lanes, sample.lanes, rules.lane_threshold),
        ):
            if probability is not None and label is not None and getattr(rules, task):
                if task == "lanes" and rules.lane_width is not None:
                    if self.lane_width is None:
                        continue
                    label = widen(label, rules.lane_width - self.lane_width)
                pairs[task] = compare_at(rules, letterbox, probability[row], label, threshold)
        if rules.exclusive:
            pairs = _one_of_three(pairs)
        record: dict[str, Any] = {task: MaskCounts.of(*pair) for task, pair in pairs.items()}
        for task, name in (("drivable", "drivable_boundary"), ("lanes", "lane_boundary")):
            if task in pairs and "boundary_f1_1px" in getattr(rules, task):
                record[name] = NearCounts.of_boundaries(*pairs[task])
        if "lanes" in pairs and "f1_1px" in rules.lanes:
            predicted, label = pairs["lanes"]
            record["lane_near"] = NearCounts.of(predicted & (label != IGNORE), label == 1)
        return record

    def _panoptic(self, sample: Sample, look: Look) -> dict[str, Any]:
        """Segments and box pairs as a user sees them: with the thresholds that `predict` has by default."""
        candidates, row, letterbox = look
        if sample.boxes is None or sample.class_ids is None or not candidates.boxes.shape[1] or not self.class_ids:
            return {}
        frame = Frame(sample.image, sample.source)
        scene = to_scene(candidates, row, letterbox, Thresholds(), dict(self.network_names), frame)
        vehicles = self._in_classes_of_data(scene.vehicles)
        pairs = match_boxes_one_to_one(vehicles.xyxy, vehicles.class_id, sample.boxes, sample.class_ids)
        record: dict[str, Any] = {"box_pairs": {self.names[class_id]: each for class_id, each in pairs.items()}}
        labels = (sample.masks, sample.drivable, sample.lanes)
        if vehicles.instances is not None and all(label is not None for label in labels):
            record["segments"] = self._segments(scene, vehicles, sample)
        return record

    def _segments(self, scene: Scene, vehicles: Vehicles, sample: Sample) -> dict[str, SegmentMatches]:
        names = dict(self.names)
        seen = Scene(vehicles, scene.drivable, scene.lanes, names, scene.height, scene.width)
        ids, segments = seen.panoptic()
        of_ids = {int(segment["id"]): int(segment["category_id"]) for segment in segments}
        matches = match_segments(ids, of_ids, *label_map(sample, names))
        of_category = {int(category["id"]): str(category["name"]) for category in categories(names)}
        return {of_category[category]: each for category, each in sorted(matches.items())}


def compare_at(
    rules: Protocol,
    letterbox: Letterbox,
    probability: NDArray[np.uint8],
    label: NDArray[np.uint8],
    threshold: float,
) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """A predicted mask and its label at the resolution where a protocol compares them.

    Args:
        rules: Its ``geometry`` says where.
        letterbox: Where the frame lies on the canvas.
        probability: uint8 ``[canvas_height, canvas_width]``, probability times 255.
        label: uint8 ``[frame_height, frame_width]`` of 0, 1 or 255 = not labelled.
        threshold: Probability above which a pixel belongs to the mask.

    Returns:
        bool and uint8, both ``[H, W]``.
    """
    if rules.geometry == "frame":
        return letterbox.mask_to_frame(probability, threshold), label
    predicted = probability > threshold * 255
    if rules.geometry == "stretch":
        return predicted, letterbox.apply_mask(label)
    bottom, right = letterbox.top + letterbox.scaled_height, letterbox.left + letterbox.scaled_width
    inside = slice(letterbox.top, bottom), slice(letterbox.left, right)
    touched = touched_pixels(label, letterbox.scaled_height, letterbox.scaled_width)
    if rules.geometry == "letterbox":
        return predicted[inside], touched
    padded = np.zeros(predicted.shape, np.uint8)
    padded[inside] = touched
    return predicted, padded


def touched_pixels(label: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """A label mask resized so that a pixel is marked when any part of it was, which thickens thin markings.

    Args:
        label: uint8 ``[H, W]`` of 0, 1 or 255 = not labelled.
        height: Of the result.
        width: Of the result.

    Example:
        >>> touched_pixels(np.array([[0, 0, 0, 255], [0, 1, 0, 0]], np.uint8), 1, 2).tolist()
        [[1, 255]]
    """
    interpolation = cv2.INTER_AREA if height <= label.shape[0] else cv2.INTER_LINEAR

    def touch(which: int) -> NDArray[np.bool_]:
        share = np.where(label == which, np.uint8(255), np.uint8(0))
        return cv2.resize(share, (width, height), interpolation=interpolation) > 1

    unknown = touch(IGNORE) if (label == IGNORE).any() else False
    return np.where(touch(1), 1, np.where(unknown, IGNORE, 0)).astype(np.uint8)


def widen(label: NDArray[np.uint8], pixels: float) -> NDArray[np.uint8]:
    """Markings of a label mask made wider by some pixels, half on each side; what is thus covered was not unknown."""
    size = round(pixels) + 1
    if size <= 1:
        return label
    wide = cv2.dilate((label == 1).astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return np.where(wide == 1, np.uint8(1), label)


def _one_of_three(
    pairs: dict[str, tuple[NDArray[np.bool_], NDArray[np.uint8]]],
) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.uint8]]]:
    """Background, drivable area and lane marking so that each pixel is one of them, the marking first."""
    if len(pairs) < 2:
        return {}
    (road, road_label), (lane, lane_label) = pairs["drivable"], pairs["lanes"]
    unknown = (road_label == IGNORE) | (lane_label == IGNORE)
    named = {
        "lanes": (lane, lane_label == 1),
        "drivable": (road & ~lane, (road_label == 1) & (lane_label != 1)),
        "background": (~road & ~lane, (road_label != 1) & (lane_label != 1)),
    }
    return {
        task: (predicted, np.where(unknown, np.uint8(IGNORE), label.astype(np.uint8)))
        for task, (predicted, label) in named.items()
    }
