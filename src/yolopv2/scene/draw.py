"""Drawing a scene over its frame."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError
from yolopv2.geometry.masks import mask_box
from yolopv2.scene import palette
from yolopv2.scene.labels import draw_labels
from yolopv2.scene.palette import Colour

if TYPE_CHECKING:
    from yolopv2.scene.scene import Scene

LAYERS = ("drivable", "lanes", "lane_lines", "masks", "boxes", "labels", "panoptic")
DEFAULT_LAYERS = ("drivable", "lanes", "masks", "boxes", "labels")

_DRIVABLE_OPACITY, _LANE_OPACITY, _INSTANCE_OPACITY, _PANOPTIC_OPACITY = 0.35, 0.8, 0.45, 0.6
_SUBPIXEL_BITS = 4


def draw_scene(scene: "Scene", image: NDArray[np.uint8] | None, layers: Collection[str]) -> NDArray[np.uint8]:
    """Draw a scene; see `Scene.draw`."""
    layers = (layers,) if isinstance(layers, str) else layers
    unknown = [layer for layer in layers if layer not in LAYERS]
    if unknown:
        raise YolopError(f"cannot draw {unknown[0]!r}; the layers are {', '.join(LAYERS)}")
    canvas = _canvas(scene, image)
    unit = line_unit(scene.height, scene.width)
    if "panoptic" in layers:
        _draw_panoptic(canvas, scene, unit)
    if "drivable" in layers and scene.drivable is not None:
        _blend(canvas, scene.drivable, palette.DRIVABLE, _DRIVABLE_OPACITY)
    if "lanes" in layers and scene.lanes is not None:
        _blend(canvas, scene.lanes, palette.LANE, _LANE_OPACITY)
    if "lane_lines" in layers:
        _draw_lane_lines(canvas, scene.lane_lines, unit)
    colours = _vehicle_colours(scene)
    if "masks" in layers and scene.vehicles.instances is not None:
        _draw_instance_masks(canvas, scene, colours, unit)
    if "boxes" in layers:
        _draw_boxes(canvas, scene, colours, unit)
    if "labels" in layers:
        draw_labels(canvas, scene, colours, unit)
    return canvas


def line_unit(height: int, width: int) -> float:
    """How much larger than on a frame of 1280x720 lines and text are drawn on a frame of this size."""
    return max(0.5, float(np.sqrt(height * width / (720 * 1280))))


def _canvas(scene: "Scene", image: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """A copy of the picture to draw over."""
    if image is None:
        image = scene.image
    if image is None:
        return np.zeros((scene.height, scene.width, 3), np.uint8)
    if image.shape != (scene.height, scene.width, 3):
        raise YolopError(f"cannot draw over an image of shape {image.shape}: the scene is {scene.height}x{scene.width}")
    return np.array(image, np.uint8, order="C")


def _blend(canvas: NDArray[np.uint8], mask: NDArray[np.bool_], colour: Colour, opacity: float) -> None:
    """Lay a translucent colour over the masked pixels, in place.

    A table of 256 entries per channel blends several times as quickly as arithmetic on the masked pixels.
    """
    x, y, width, height = mask_box(mask)
    if width == 0:
        return
    region = canvas[y : y + height, x : x + width]
    blended = cv2.LUT(region, _blended_levels(colour, opacity))
    inside = np.ascontiguousarray(mask[y : y + height, x : x + width]).view(np.uint8)
    cv2.copyTo(blended, inside, region)


@cache
def _blended_levels(colour: Colour, opacity: float) -> NDArray[np.uint8]:
    """What each level of each channel becomes below a colour, ``[1, 256, 3]``."""
    levels = np.arange(256)[:, None] * (1 - opacity) + np.array(colour) * opacity
    return np.round(levels).astype(np.uint8)[None]


def _draw_lane_lines(canvas: NDArray[np.uint8], lines: Sequence[NDArray[np.float32]], unit: float) -> None:
    points = [_subpixel(line) for line in lines]
    for colour, thickness in ((palette.BLACK, 5 * unit), (palette.LANE_LINE, 3 * unit)):
        cv2.polylines(canvas, points, False, colour, max(1, round(thickness)), cv2.LINE_AA, _SUBPIXEL_BITS)


def _draw_instance_masks(canvas: NDArray[np.uint8], scene: "Scene", colours: Sequence[Colour], unit: float) -> None:
    assert scene.vehicles.instances is not None
    placed = list(scene.vehicles.instances)
    for row in _least_confident_first(scene):
        region, part = placed[row]
        _blend(canvas[region], part, colours[row], _INSTANCE_OPACITY)
        corner = (region[1].start, region[0].start)
        pixels = np.ascontiguousarray(part).view(np.uint8)
        contours, _ = cv2.findContours(pixels, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=corner)
        cv2.drawContours(canvas, contours, -1, colours[row], max(1, round(unit)), cv2.LINE_AA)


def _draw_boxes(canvas: NDArray[np.uint8], scene: "Scene", colours: Sequence[Colour], unit: float) -> None:
    """Draw each box, on large frames with a dark edge, which keeps it visible on a bright sky."""
    limits = np.array([scene.width, scene.height] * 2)
    boxes = np.clip(np.round(scene.vehicles.xyxy), 0, limits).astype(int) - (0, 0, 1, 1)
    thickness = max(2, round(2 * unit))
    edge = round(unit)
    for row in _least_confident_first(scene):
        x1, y1, x2, y2 = (int(value) for value in boxes[row])
        if edge:
            cv2.rectangle(canvas, (x1, y1), (x2, y2), palette.BLACK, thickness + 2 * edge, cv2.LINE_AA)
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colours[row], thickness, cv2.LINE_AA)


def _draw_panoptic(canvas: NDArray[np.uint8], scene: "Scene", unit: float) -> None:
    """Colour every segment and part neighbours by a dark line."""
    ids, segments = scene.panoptic()
    table = np.zeros((len(scene.vehicles) + 3, 3), np.uint8)
    stuff = [palette.DRIVABLE, palette.LANE]
    for segment in segments:
        row = segment["id"] - 1
        table[segment["id"]] = palette.vehicle_colour(row) if segment["isthing"] else stuff[row - len(scene.vehicles)]
    seen = (ids > 0).view(np.uint8)
    blended = cv2.addWeighted(canvas, 1 - _PANOPTIC_OPACITY, np.take(table, ids, axis=0), _PANOPTIC_OPACITY, 0)
    cv2.copyTo(blended, seen, canvas)
    borders = np.zeros(ids.shape, bool)
    borders[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    borders[1:] |= ids[1:] != ids[:-1]
    width = max(1, round(unit))
    thick = cv2.dilate(borders.view(np.uint8), np.ones((width, width), np.uint8))
    _blend(canvas, thick.view(np.bool_), palette.BLACK, 0.6)


def _vehicle_colours(scene: "Scene") -> list[Colour]:
    """A colour per vehicle: by track where there are tracks, by row on stills with masks, else by class.

    From frame to frame of a video the rows change their order, and colours of theirs would flicker.
    """
    vehicles = scene.vehicles
    if vehicles.track_id is not None:
        numbers = vehicles.track_id.tolist()
    elif vehicles.instances is not None and scene.time is None:
        numbers = list(range(len(vehicles)))
    else:
        numbers = vehicles.class_id.tolist()
    return [palette.vehicle_colour(number) for number in numbers]


def _least_confident_first(scene: "Scene") -> NDArray[np.int64]:
    return np.argsort(scene.vehicles.confidence, kind="stable")


def _subpixel(points: NDArray[np.float32]) -> NDArray[np.int32]:
    """Points in OpenCV's fixed point, whose origin is the centre of the first pixel."""
    return np.round((points - 0.5) * 2**_SUBPIXEL_BITS).astype(np.int32)
