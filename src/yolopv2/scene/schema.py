"""The JSON form of a scene, ``yolopv2.scene/1``: documented in docs/scene.md, written and read here."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError
from yolopv2.geometry.masks import MAX_MASK_PIXELS, rle_decode, rle_encode, rle_size
from yolopv2.scene.instances import InstanceMasks
from yolopv2.scene.vehicles import Vehicles

if TYPE_CHECKING:
    from yolopv2.scene.scene import Scene

SCHEMA = "yolopv2.scene/1"

MAX_INSTANCE_PIXELS = 2**30
"""Instance masks of one scene take at most this many bytes in memory; more is refused on reading."""


def scene_to_dict(scene: "Scene") -> dict[str, Any]:
    """A scene as plain JSON types; see `Scene.to_dict`."""
    return {
        "schema": SCHEMA,
        "source": scene.source,
        "index": int(scene.index),
        "time": None if scene.time is None else float(scene.time),
        "height": int(scene.height),
        "width": int(scene.width),
        "names": {str(class_id): name for class_id, name in scene.names.items()},
        "tracked": scene.vehicles.track_id is not None,
        "instance_masks": scene.vehicles.instances is not None,
        "vehicles": _vehicles_to_list(scene),
        "drivable": None if scene.drivable is None else rle_encode(scene.drivable),
        "lanes": None if scene.lanes is None else rle_encode(scene.lanes),
        "drivable_polygons": [_points(polygon) for polygon in scene.drivable_polygons],
        "lane_lines": [_points(line) for line in scene.lane_lines],
    }


def parse_scene(data: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `Scene` from a dict that `scene_to_dict` made; see `Scene.from_dict`."""
    if not isinstance(data, Mapping):
        raise YolopError(f"scene: expected a JSON object, got {type(data).__name__}")
    schema = data.get("schema")
    if schema != SCHEMA:
        raise YolopError(f"scene: the schema is {schema!r:.60}, this program reads {SCHEMA!r}")
    height, width = _integer(data, "height", 1), _integer(data, "width", 1)
    if height * width > MAX_MASK_PIXELS:
        raise YolopError(f"scene: {height}x{width} pixels are more than the {MAX_MASK_PIXELS} this program reads")
    return {
        "vehicles": _parse_vehicles(data, height, width),
        "drivable": _optional_mask(data, "drivable", height, width),
        "lanes": _optional_mask(data, "lanes", height, width),
        "names": _parse_names(data),
        "height": height,
        "width": width,
        "source": _typed(data, "source", str, type(None)),
        "index": _integer(data, "index", 0),
        "time": None if _field(data, "time") is None else _number(data["time"], "time"),
    }


def shortest(value: np.float32) -> float:
    """The float whose decimal form is the shortest that still gives this float32 back: 0.9, not 0.8999999761581421.

    Example:
        >>> shortest(np.float32(0.9))
        0.9
    """
    return float(str(np.float32(value)))


def _vehicles_to_list(scene: "Scene") -> list[dict[str, Any]]:
    vehicles = scene.vehicles
    rows = []
    for row in range(len(vehicles)):
        class_id = int(vehicles.class_id[row])
        item: dict[str, Any] = {
            "xyxy": [shortest(value) for value in vehicles.xyxy[row]],
            "confidence": shortest(vehicles.confidence[row]),
            "class_id": class_id,
            "category": scene.names.get(class_id, str(class_id)),
        }
        if vehicles.track_id is not None:
            item["track_id"] = int(vehicles.track_id[row])
        if vehicles.instances is not None:
            item["mask"] = vehicles.instances.rle(row)
        rows.append(item)
    return rows


def _points(points: NDArray[np.float32]) -> list[list[float]]:
    """Derived points to a tenth of a pixel, which is finer than they are."""
    return [[round(float(x), 1), round(float(y), 1)] for x, y in points]


def _parse_vehicles(data: Mapping[str, Any], height: int, width: int) -> Vehicles:
    items = _typed(data, "vehicles", list)
    tracked, with_masks = _typed(data, "tracked", bool), _typed(data, "instance_masks", bool)
    if with_masks and len(items) * height * width > MAX_INSTANCE_PIXELS:
        raise YolopError(f"scene: {len(items)} masks of {height}x{width} are more than the memory this program grants")
    rows = [(item, f"vehicles[{position}].") for position, item in enumerate(items)]
    for item, where in rows:
        if not isinstance(item, Mapping):
            raise YolopError(f"scene: {where[:-1]} is {type(item).__name__} instead of an object")
    masks = _parse_instances(rows, height, width) if with_masks else None
    confidence = [_number(_field(item, "confidence", where), f"{where}confidence") for item, where in rows]
    track_id = [_integer(item, "track_id", None, where) for item, where in rows] if tracked else None
    return Vehicles(
        np.array([_parse_box(item, where) for item, where in rows], np.float32).reshape(-1, 4),
        np.array(confidence, np.float32),
        np.array([_integer(item, "class_id", 0, where) for item, where in rows], np.int64),
        masks,
        None if track_id is None else np.array(track_id, np.int64),
    )


def _parse_instances(rows: Sequence[tuple[Mapping[str, Any], str]], height: int, width: int) -> InstanceMasks:
    masks = []
    for item, where in rows:
        mask = _mask(_field(item, "mask", where), f"{where}mask", height, width)
        masks.append(InstanceMasks.of(mask[None]))
    corners, parts = (each.corners[0] for each in masks), (each.parts[0] for each in masks)
    return InstanceMasks(height, width, tuple(corners), tuple(parts))


def _parse_box(row: Mapping[str, Any], where: str) -> list[float]:
    box = _typed(row, "xyxy", list, where=where)
    if len(box) != 4:
        raise YolopError(f"scene: {where}xyxy has {len(box)} numbers instead of 4")
    return [_number(value, f"{where}xyxy") for value in box]


def _parse_names(data: Mapping[str, Any]) -> dict[int, str]:
    names = _typed(data, "names", Mapping)
    for class_id, name in names.items():
        if not (isinstance(class_id, str) and class_id.isascii() and class_id.isdigit() and len(class_id) <= 9):
            raise YolopError(f"scene: names has the key {class_id!r:.60}, which is no class id")
        if not isinstance(name, str):
            raise YolopError(f"scene: names[{class_id}] is no string")
    return {int(class_id): name for class_id, name in names.items()}


def _optional_mask(data: Mapping[str, Any], key: str, height: int, width: int) -> NDArray[np.bool_] | None:
    rle = _field(data, key)
    return None if rle is None else _mask(rle, key, height, width)


def _mask(rle: Any, where: str, height: int, width: int) -> NDArray[np.bool_]:
    """Decode a mask only when it has the frame's size."""
    try:
        if rle_size(rle) != (height, width):
            raise YolopError(f"mask: its size is {rle['size']}, the frame's {[height, width]}")
        return rle_decode(rle)
    except YolopError as error:
        raise YolopError(f"scene: {where}: {error}") from None


def _field(data: Mapping[str, Any], key: str, where: str = "") -> Any:
    if key not in data:
        raise YolopError(f"scene: {where}{key} is missing")
    return data[key]


def _typed(data: Mapping[str, Any], key: str, *types: type, where: str = "") -> Any:
    value = _field(data, key, where)
    if not isinstance(value, types):
        expected = " or ".join("null" if kind is type(None) else kind.__name__ for kind in types)
        raise YolopError(f"scene: {where}{key} is {type(value).__name__} instead of {expected}")
    return value


def _integer(data: Mapping[str, Any], key: str, least: int | None, where: str = "") -> int:
    value = _field(data, key, where)
    if type(value) is not int or not -(2**63) <= value < 2**63 or (least is not None and value < least):
        floor = "" if least is None else f" of at least {least}"
        raise YolopError(f"scene: {where}{key} is {value!r:.60} instead of an integer{floor}")
    return value


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e30 or not math.isfinite(value):
        raise YolopError(f"scene: {where} is {value!r:.60} instead of a finite number")
    return float(value)
