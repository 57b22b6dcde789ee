from collections.abc import Callable

import numpy as np
import pytest

from yolopv2.scene import Scene, Vehicles


def make_street(
    height: int = 180, width: int = 320, with_masks: bool = False, with_tracks: bool = False, **fields
) -> Scene:
    """Two cars that overlap and a bus at the edge, on a road with one line; all in proportion to the size."""
    drivable, lanes = np.zeros((height, width), bool), np.zeros((height, width), bool)
    drivable[height // 2 :] = True
    lanes[height // 2 :, width // 2 - width // 80 : width // 2 + width // 80] = True
    boxes = np.array([[0.1, 0.3, 0.4, 0.7], [0.3, 0.3, 0.5, 0.6], [0.7, 0.0, 1.0, 0.8]])
    boxes = np.round(boxes * [width, height, width, height]).astype(np.float32)
    masks = None
    if with_masks:
        masks = np.zeros((3, height, width), bool)
        for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int), strict=True):
            mask[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2] = True
    tracks = [7, 3, 12] if with_tracks else None
    vehicles = Vehicles(boxes, [0.5, 0.9, 0.7], [0, 0, 2], masks, tracks)
    return Scene(vehicles, drivable, lanes, {0: "car", 1: "truck", 2: "bus"}, height, width, **fields)


@pytest.fixture
def street() -> Callable[..., Scene]:
    """Makes the street of `make_street`."""
    return make_street
