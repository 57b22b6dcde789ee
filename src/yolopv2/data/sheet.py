"""Contact sheets: frames of a data set with their labels drawn, on one picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data.check import TASKS
from yolopv2.data.dataset import Dataset
from yolopv2.data.sample import IGNORE, Sample
from yolopv2.errors import YolopError
from yolopv2.scene import Scene, Vehicles

_WIDTH, _CAPTION = 640, 24
_COLUMNS = 3


def sample_to_scene(sample: Sample, names: dict[int, str]) -> Scene:
    """A frame's labels as if they had been seen, with full confidence.

    Args:
        sample: The frame.
        names: Class names by class id.

    Example:
        >>> scene = sample_to_scene(Sample(np.zeros((90, 160, 3), np.uint8), source="val/a"), {0: "vehicle"})
        >>> scene
        <Scene val/a, 160x90: 0 vehicles>
    """
    vehicles = Vehicles.empty()
    if sample.boxes is not None and sample.class_ids is not None:
        vehicles = Vehicles(sample.boxes, np.ones(len(sample.boxes), np.float32), sample.class_ids, sample.masks)
    height, width = sample.image.shape[:2]
    return Scene(
        vehicles=vehicles,
        drivable=None if sample.drivable is None else sample.drivable == 1,
        lanes=None if sample.lanes is None else sample.lanes == 1,
        names=names,
        height=height,
        width=width,
        source=sample.source,
        image=sample.image,
    )


def draw_sample(sample: Sample, names: dict[int, str]) -> NDArray[np.uint8]:
    """A frame with its labels; pixels to be ignored in one of its masks are darkened.

    Classes are written beside the boxes where there are several.

    Returns:
        uint8 ``[H, W, 3]`` RGB.
    """
    layers = ["drivable", "lanes", "masks", "boxes", *(["labels"] if len(names) > 1 else [])]
    drawn = sample_to_scene(sample, names).draw(layers=layers)
    for mask in (sample.drivable, sample.lanes):
        if mask is not None:
            drawn[mask == IGNORE] //= 2
    return drawn


def contact_sheet(dataset: Dataset, count: int = 12) -> NDArray[np.uint8]:
    """Frames from the whole of a data set, evenly spaced, each with its name and the labels it lacks.

    Args:
        dataset: One split.
        count: How many frames, at most.

    Returns:
        uint8 ``[H, W, 3]`` RGB, three frames abreast.

    Raises:
        YolopError: There are no frames, or one cannot be read.
    """
    if not len(dataset):
        raise YolopError("There are no frames to draw.")
    chosen = np.unique(np.linspace(0, len(dataset) - 1, count).round().astype(int))
    tiles = [_tile(dataset[int(index)], dataset.names) for index in chosen]
    height = max(len(tile) for tile in tiles)
    columns = min(_COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    sheet = np.zeros((rows * height, columns * _WIDTH, 3), np.uint8)
    for place, tile in enumerate(tiles):
        y, x = place // columns * height, place % columns * _WIDTH
        sheet[y : y + len(tile), x : x + _WIDTH] = tile
    return sheet


def _tile(sample: Sample, names: dict[int, str]) -> NDArray[np.uint8]:
    drawn = draw_sample(sample, names)
    height = max(1, round(drawn.shape[0] * _WIDTH / drawn.shape[1]))
    caption = np.zeros((_CAPTION, _WIDTH, 3), np.uint8)
    lacking = [task for task in TASKS if getattr(sample, task) is None]
    text = sample.source + (f"   no {', '.join(lacking)}" if lacking else "")
    cv2.putText(caption, text, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    frame = cv2.resize(drawn, (_WIDTH, height), interpolation=cv2.INTER_AREA)
    return np.concatenate([caption, frame]).astype(np.uint8)
