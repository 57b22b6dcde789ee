"""What is kept of each frame: counts from which every score can be computed again, for any choice of frames."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.evaluation.detection import BANDS, BoxMatches
from yolopv2.evaluation.panoptic import SegmentMatches
from yolopv2.evaluation.segmentation import MaskCounts, NearCounts

_IGNORED_BIT = 8
"""In a file each detection has one number of 16 bits: bit b is a hit (IoU 0.5) in band b, bit 8 + b ignored there."""


@dataclass(frozen=True)
class FrameRecord:
    """One scored frame; what is None was not labelled, not seen, or is no part of the protocol.

    Attributes:
        index: Its number in the data set.
        id: What it is called there.
        attributes: What is known of it, such as weather, scene and time of day.
        brightness: Mean grey value of the frame, 0..255.
        boxes: Its matched detections, by the data set's class ids.
        drivable: Pixels of the drivable area.
        lanes: Pixels of lane markings.
        background: Pixels of neither, where a protocol lets a pixel be one of the three only.
        drivable_boundary: Boundary pixels of the drivable area.
        lane_boundary: Boundary pixels of lane markings.
        lane_near: Pixels of lane markings that have a labelled or predicted one nearby.
        segments: Matched segments by category name; there are instance masks on both sides.
        box_pairs: Boxes in pairs by class name, for ``box_pq``.
        mask_ious: Overlap of the instance masks of each such pair; there are some on both sides.
    """

    index: int
    id: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    brightness: float = 0.0
    boxes: BoxMatches | None = None
    drivable: MaskCounts | None = None
    lanes: MaskCounts | None = None
    background: MaskCounts | None = None
    drivable_boundary: NearCounts | None = None
    lane_boundary: NearCounts | None = None
    lane_near: NearCounts | None = None
    segments: Mapping[str, SegmentMatches] | None = None
    box_pairs: Mapping[str, SegmentMatches] | None = None
    mask_ious: tuple[float, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON types. Of the boxes what hits at IoU 0.5 is kept, not at the higher thresholds."""
        data: dict[str, Any] = {"index": self.index, "id": self.id, "brightness": self.brightness}
        if self.attributes:
            data["attributes"] = dict(self.attributes)
        if self.boxes is not None:
            data["boxes"] = _boxes_to_dict(self.boxes)
        for name in (*_MASKS, *_NEAR):
            if (counts := getattr(self, name)) is not None:
                data[name] = counts.numbers()
        for name in _SEGMENTS:
            if (matches := getattr(self, name)) is not None:
                data[name] = {category: [list(each.ious), each.fp, each.fn] for category, each in matches.items()}
        if self.mask_ious is not None:
            data["mask_ious"] = list(self.mask_ious)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "FrameRecord":
        """The inverse of `to_dict`; raises what a wrong type or a missing key raises."""
        values: dict[str, Any] = {"index": int(data["index"]), "id": str(data["id"])}
        values["brightness"] = float(data["brightness"])
        values["attributes"] = {str(name): str(value) for name, value in data.get("attributes", {}).items()}
        if "boxes" in data:
            values["boxes"] = _boxes_from_dict(data["boxes"])
        values |= {name: MaskCounts.from_numbers(data[name]) for name in _MASKS if name in data}
        values |= {name: NearCounts.from_numbers(data[name]) for name in _NEAR if name in data}
        for name in _SEGMENTS:
            if name in data:
                values[name] = {category: _segments(*each) for category, each in data[name].items()}
        if "mask_ious" in data:
            values["mask_ious"] = tuple(map(float, data["mask_ious"]))
        return cls(**values)


_MASKS = ("drivable", "lanes", "background")
_NEAR = ("drivable_boundary", "lane_boundary", "lane_near")
_SEGMENTS = ("segments", "box_pairs")


def _segments(ious: list[float], fp: int, fn: int) -> SegmentMatches:
    return SegmentMatches(tuple(map(float, ious)), int(fp), int(fn))


def _boxes_to_dict(boxes: BoxMatches) -> dict[str, Any]:
    bits = np.arange(boxes.hits.shape[1])
    flags = ((boxes.hits & 1) << bits).sum(1) + ((boxes.ignored & 1) << (bits + _IGNORED_BIT)).sum(1)
    data: dict[str, Any] = {
        "labels": {str(class_id): list(counts) for class_id, counts in boxes.labels.items()},
        "confidence": _pack(boxes.confidence, "<f4"),
        "flags": _pack(flags, "<u2"),
    }
    if boxes.class_id.any():
        data["class_id"] = _pack(boxes.class_id, "<i2")
    return data


def _boxes_from_dict(data: Mapping[str, Any]) -> BoxMatches:
    labels = {int(class_id): tuple(map(int, counts)) for class_id, counts in data["labels"].items()}
    confidence, flags = _unpack(data["confidence"], "<f4"), _unpack(data["flags"], "<u2")
    class_id = _unpack(data["class_id"], "<i2") if "class_id" in data else np.zeros(len(flags), np.int16)
    if not len(confidence) == len(flags) == len(class_id):
        raise ValueError("confidence, flags and class_id of a frame's boxes are not of one length")
    bands = len(next(iter(labels.values()), BANDS))
    bits = np.arange(bands)
    return BoxMatches(
        confidence.astype(np.float32),
        class_id.astype(np.int16),
        (flags[:, None] >> bits & 1).astype(np.uint16),
        (flags[:, None] >> (bits + _IGNORED_BIT) & 1).astype(np.uint16),
        labels,
    )


def _pack(values: NDArray[np.generic], kind: str) -> str:
    """Numbers as base64 of their little-endian bytes: a third of the length of digits, and exact."""
    return base64.b64encode(values.astype(kind).tobytes()).decode("ascii")


def _unpack(text: str, kind: str) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(text, validate=True), kind)
