"""The panoptic map of a scene, in the terms of COCO panoptic segmentation."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.geometry.boxes import clip_boxes
from yolopv2.geometry.masks import mask_area, mask_box

if TYPE_CHECKING:
    from yolopv2.scene.scene import Scene

DRIVABLE, LANE = "drivable area", "lane marking"
"""Names of the two categories that are no vehicles."""


def categories(names: Mapping[int, str]) -> list[dict[str, Any]]:
    """COCO's categories of panoptic maps: the classes, then drivable area and lane marking.

    Args:
        names: Class names by class id.

    Returns:
        ``{"id", "name", "isthing"}`` each, by ascending id.

    Example:
        >>> [(category["id"], category["name"]) for category in categories({0: "car", 1: "bus"})]
        [(0, 'car'), (1, 'bus'), (2, 'drivable area'), (3, 'lane marking')]
    """
    things = [{"id": class_id, "name": name, "isthing": 1} for class_id, name in sorted(names.items())]
    after = max(names, default=-1) + 1
    return [*things, {"id": after, "name": DRIVABLE, "isthing": 0}, {"id": after + 1, "name": LANE, "isthing": 0}]


def panoptic_map(scene: "Scene") -> tuple[NDArray[np.int32], list[dict[str, Any]]]:
    """Paint every pixel with the id of what is seen there; see `Scene.panoptic`."""
    vehicles = scene.vehicles
    ids = np.zeros((scene.height, scene.width), np.int32)
    *_, drivable, lane = categories(scene.names)
    stuff = [(len(vehicles) + 1, drivable, scene.drivable), (len(vehicles) + 2, lane, scene.lanes)]
    for segment_id, _, mask in stuff:
        if mask is not None:
            ids[mask] = segment_id
    regions = list(_vehicle_regions(scene))
    for row in np.argsort(vehicles.confidence, kind="stable"):  # the most confident last, on top
        region, inside = regions[row]
        ids[region][inside] = row + 1
    segments = []
    for row, (region, _) in enumerate(regions):
        class_id = int(vehicles.class_id[row])
        category = {"id": class_id, "name": scene.names.get(class_id, str(class_id)), "isthing": 1}
        segments.append(_segment(ids, row + 1, category, region))
    whole = (slice(0, scene.height), slice(0, scene.width))
    segments += [_segment(ids, segment_id, category, whole) for segment_id, category, _ in stuff]
    return ids, [segment for segment in segments if segment["area"]]


def _vehicle_regions(scene: "Scene") -> Iterator[tuple[tuple[slice, slice], NDArray[np.bool_]]]:
    """For each vehicle the rectangle of the frame it lies in, and its pixels there."""
    vehicles = scene.vehicles
    masks = None if vehicles.instances is None else list(vehicles.instances)
    # A pixel belongs to a box when its centre does.
    borders = np.ceil(clip_boxes(vehicles.xyxy, scene.height, scene.width) - 0.5).astype(int)
    for row, (x1, y1, x2, y2) in enumerate(borders.tolist()):
        region = (slice(y1, max(y1, y2)), slice(x1, max(x1, x2)))
        inside = np.ones((max(y2 - y1, 0), max(x2 - x1, 0)), bool)
        if masks is not None and masks[row][1].any():
            region, inside = masks[row]
        yield region, inside


def _segment(
    ids: NDArray[np.int32], segment_id: int, category: Mapping[str, Any], region: tuple[slice, slice]
) -> dict[str, Any]:
    """COCO's segment info of one id, all of whose pixels lie in ``region``."""
    visible = ids[region] == segment_id
    x, y, width, height = mask_box(visible)
    return {
        "id": segment_id,
        "category_id": category["id"],
        "category": category["name"],
        "isthing": bool(category["isthing"]),
        "area": mask_area(visible),
        "bbox": [x + region[1].start, y + region[0].start, width, height],
    }
