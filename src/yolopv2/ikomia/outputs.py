"""What tasks hand to each other and to the user: a picture, detections, a segmentation, a table of data."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError
from yolopv2.files import encode_image
from yolopv2.geometry.masks import polygons
from yolopv2.media import Frame
from yolopv2.scene import Scene, Vehicles, palette
from yolopv2.scene.palette import Colour
from yolopv2.scene.schema import shortest

CLASSES = ("background", "road", "lane")
"""Classes of the merged mask; a pixel's value is the index of its class."""

COLOURS: tuple[Colour, ...] = (palette.BLACK, palette.DRIVABLE, palette.LANE)
"""Their colours."""


class IODataType(Enum):
    """Kinds of inputs and outputs, named as in Ikomia."""

    IMAGE = "IMAGE"
    OBJECT_DETECTION = "OBJECT_DETECTION"
    SEMANTIC_SEGMENTATION = "SEMANTIC_SEGMENTATION"
    DATA_DICT = "DATA_DICT"


@dataclass(frozen=True)
class ImageIO:
    """A picture, and where there is one the mask that belongs over it.

    Attributes:
        frame: The picture and where it came from.
        mask: uint8 ``[H, W]``, indices into `CLASSES`, or None.
    """

    data_type: ClassVar[IODataType] = IODataType.IMAGE

    frame: Frame
    mask: NDArray[np.uint8] | None = None

    def get_image(self) -> NDArray[np.uint8]:
        """The picture, uint8 ``[H, W, 3]`` RGB."""
        return self.frame.image

    def get_overlay_mask(self) -> NDArray[np.uint8] | None:
        """The mask, uint8 ``[H, W]``: 0 background, 1 road, 2 lane; None where nothing was segmented."""
        return self.mask

    def get_image_with_mask(self, io: "SegmentationIO | None" = None) -> NDArray[np.uint8]:
        """The picture with a segmentation over it, or else with its own mask, uint8 ``[H, W, 3]`` RGB."""
        if io is not None:
            return io.scene.draw(self.frame.image, layers=("drivable", "lanes"))
        if self.mask is None:
            return self.frame.image
        return segmented(self.frame, self.mask == 1, self.mask == 2).draw(layers=("drivable", "lanes"))

    def get_image_with_graphics(self, io: "DetectionIO") -> NDArray[np.uint8]:
        """The picture with the boxes and labels of detections, uint8 ``[H, W, 3]`` RGB."""
        return io.scene.draw(self.frame.image, layers=("masks", "boxes", "labels"))

    def to_json(self, options: Sequence[str] = ()) -> str:
        """The picture as ``{"image": JPEG in base64}``; for ``options`` see `to_text`."""
        return to_text({"image": base64.b64encode(encode_image(self.frame.image, ".jpg")).decode()}, options)


@dataclass(frozen=True)
class DetectionIO:
    """Detected vehicles.

    Attributes:
        scene: Has the vehicles, and the frame they were seen in.
    """

    data_type: ClassVar[IODataType] = IODataType.OBJECT_DETECTION

    scene: Scene

    def get_objects(self) -> list[dict[str, Any]]:
        """The vehicles as in the JSON: ``id``, ``label``, ``confidence``, ``box``, ``color``; see `objects`."""
        return objects(self.scene)

    def get_image_with_graphics(self) -> NDArray[np.uint8]:
        """The frame with boxes and labels, uint8 ``[H, W, 3]`` RGB."""
        return self.scene.draw(layers=("masks", "boxes", "labels"))

    def to_json(self, options: Sequence[str] = ()) -> str:
        """``{"detections": [...], "referenceImageIndex": 0}``; for ``options`` see `to_text`."""
        return to_text({"detections": self.get_objects(), "referenceImageIndex": 0}, options)


@dataclass(frozen=True)
class SegmentationIO:
    """Drivable area and lane markings as one mask.

    Attributes:
        scene: Has both masks, and the frame they were seen in.
    """

    data_type: ClassVar[IODataType] = IODataType.SEMANTIC_SEGMENTATION

    scene: Scene

    @cached_property
    def mask(self) -> NDArray[np.uint8] | None:
        """See `merged_mask`."""
        return merged_mask(self.scene)

    def get_mask(self) -> NDArray[np.uint8] | None:
        """The mask, uint8 ``[H, W]``: 0 background, 1 road, 2 lane; None where nothing was segmented."""
        return self.mask

    def get_class_names(self) -> list[str]:
        """The classes by the mask's values."""
        return list(CLASSES)

    def get_image_with_mask(self) -> NDArray[np.uint8]:
        """The frame with both masks over it, uint8 ``[H, W, 3]`` RGB."""
        return self.scene.draw(layers=("drivable", "lanes"))

    def to_json(self, options: Sequence[str] = ()) -> str:
        """``mask`` (PNG in base64), ``classes``, ``colors``, ``polygons``; for ``options`` see `to_text`.

        ``mask`` is null where nothing was segmented, and polygons are outlines, holes covered, one ``category`` each.
        """
        mask = self.mask
        found = {
            "mask": None if mask is None else base64.b64encode(encode_image(mask, ".png")).decode(),
            "classes": list(CLASSES),
            "colors": [_rgb(colour) for colour in COLOURS],
            "referenceImageIndex": 0,
            "polygons": [] if mask is None else _outlines(mask),
        }
        return to_text(found, options)


@dataclass(frozen=True)
class DataDictIO:
    """Anything else, as plain JSON types.

    Attributes:
        data: The values by name.
    """

    data_type: ClassVar[IODataType] = IODataType.DATA_DICT

    data: dict[str, Any]

    def to_json(self, options: Sequence[str] = ()) -> str:
        """The data; for ``options`` see `to_text`."""
        return to_text(self.data, options)


IO = ImageIO | DetectionIO | SegmentationIO | DataDictIO


def merged_mask(scene: Scene) -> NDArray[np.uint8] | None:
    """Drivable area and lane markings as one mask, in which a lane lies over the road.

    Args:
        scene: What was seen.

    Returns:
        uint8 ``[H, W]`` of indices into `CLASSES`, or None where neither was looked for.

    Example:
        >>> road, lane = np.array([[0, 1, 1]], bool), np.array([[0, 0, 1]], bool)
        >>> frame = Frame(np.zeros((1, 3, 3), np.uint8), "street.jpg")
        >>> merged_mask(segmented(frame, road, lane)).tolist()
        [[0, 1, 2]]
    """
    if scene.drivable is None and scene.lanes is None:
        return None
    mask = np.zeros((scene.height, scene.width), np.uint8)
    for value, area in ((1, scene.drivable), (2, scene.lanes)):
        if area is not None:
            mask[area] = value
    return mask


def objects(scene: Scene) -> list[dict[str, Any]]:
    """The vehicles of a scene as Ikomia's detection JSON lists them.

    Args:
        scene: What was seen.

    Returns:
        One dict each: ``id`` is its track, or without tracks its row, so that no two of a frame share one; ``label``;
        ``confidence``; ``box`` with ``x``, ``y``, ``width``, ``height`` in pixels of the frame; ``color``.
    """
    vehicles = scene.vehicles
    ids = range(len(vehicles)) if vehicles.track_id is None else vehicles.track_id.tolist()
    found = []
    for row, (number, class_id) in enumerate(zip(ids, vehicles.class_id.tolist(), strict=True)):
        x1, y1, x2, y2 = vehicles.xyxy[row]
        lengths = {"x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1}
        found.append(
            {
                "id": number,
                "label": scene.names.get(class_id, str(class_id)),
                "confidence": shortest(vehicles.confidence[row]),
                "box": {name: shortest(value) for name, value in lengths.items()},
                "color": _rgb(palette.vehicle_colour(class_id)),
            }
        )
    return found


def lane_data(scene: Scene) -> dict[str, Any]:
    """The lane lines of a scene: ``{"lanes": [{"id": 0, "points": [[x, y], ...]}, ...]}``, pixels of the frame.

    Points go from bottom to top, lines from left to right.
    """
    return {
        "lanes": [
            {"id": number, "points": [[shortest(x), shortest(y)] for x, y in line]}
            for number, line in enumerate(scene.lane_lines)
        ]
    }


def segmented(frame: Frame, drivable: NDArray[np.bool_] | None = None, lanes: NDArray[np.bool_] | None = None) -> Scene:
    """A scene of a frame that has masks at most, and no vehicle."""
    height, width = frame.image.shape[:2]
    return Scene(
        Vehicles.empty(), drivable, lanes, {}, height, width, frame.source, frame.index, frame.time, frame.image
    )


def joined_scene(frame: Frame, ios: Sequence[IO | None]) -> Scene:
    """One scene of a frame's detections and segmentation; what is missing is missing in it."""
    scene = segmented(frame)
    for io in ios:
        if isinstance(io, SegmentationIO):
            scene = replace(io.scene, vehicles=scene.vehicles, names=scene.names, image=frame.image)
        elif isinstance(io, DetectionIO):
            scene = replace(scene, vehicles=io.scene.vehicles, names=io.scene.names)
    return scene


def to_text(value: dict[str, Any], options: Sequence[str]) -> str:
    """JSON as Ikomia's ``to_json`` gives it.

    Args:
        value: What to write.
        options: ``["json_format", "indented"]`` for lines of their own, or ``["json_format", "compact"]``, the default.

    Raises:
        YolopError: There is no such option.
    """
    if list(options) not in ([], ["json_format", "compact"], ["json_format", "indented"]):
        raise YolopError(f"to_json takes ['json_format', 'compact'] or ['json_format', 'indented'], not {options!r}")
    indent = 4 if "indented" in options else None
    return json.dumps(value, indent=indent, separators=None if indent else (",", ":"), allow_nan=False)


def _outlines(mask: NDArray[np.uint8]) -> list[dict[str, Any]]:
    return [
        {"category": CLASSES[value], "polygon": [{"x": shortest(x), "y": shortest(y)} for x, y in outline]}
        for value in range(1, len(CLASSES))
        for outline in polygons(mask == value)
    ]


def _rgb(colour: Colour) -> dict[str, int]:
    return dict(zip("rgb", colour, strict=True))
