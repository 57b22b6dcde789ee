"""Labels of vehicles: text on filled tags, inside the frame, and where possible not over each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.geometry.boxes import clip_boxes
from yolopv2.scene import palette
from yolopv2.scene.palette import Colour

if TYPE_CHECKING:
    from yolopv2.scene.scene import Scene

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_TEXT_HEIGHT = 11.0
"""Height of a capital letter in pixels on a frame of 1280x720."""

_MIN_TEXT_HEIGHT = 8.0
"""Smaller letters cannot be read."""

_HERSHEY_CAPITAL = 21.0
"""Height of a capital letter of this font at scale 1."""


@dataclass(frozen=True)
class _Style:
    """Sizes of the text on one frame, in pixels."""

    scale: float
    thickness: int
    text_height: int
    padding: int

    @classmethod
    def for_unit(cls, unit: float) -> "_Style":
        height = max(_MIN_TEXT_HEIGHT, _TEXT_HEIGHT * unit)
        return cls(height / _HERSHEY_CAPITAL, max(1, round(height / 9)), round(height), max(2, round(height * 0.35)))

    def tag_size(self, text: str) -> tuple[int, int]:
        """Width and height of the tag that holds a text."""
        (width, _), _ = cv2.getTextSize(text, _FONT, self.scale, self.thickness)
        return width + 2 * self.padding, self.text_height + 2 * self.padding


def draw_labels(canvas: NDArray[np.uint8], scene: "Scene", colours: Sequence[Colour], unit: float) -> None:
    """Draw the tag of every vehicle, in place, the most confident first choosing its place.

    Args:
        canvas: uint8 ``[H, W, 3]`` RGB.
        scene: The scene.
        colours: The colour of each vehicle.
        unit: Size of the text relative to a frame of 1280x720.
    """
    style = _Style.for_unit(unit)
    texts = [label_text(scene, row) for row in range(len(scene.vehicles))]
    boxes = clip_boxes(scene.vehicles.xyxy, scene.height, scene.width)
    tags = place_tags(
        boxes,
        scene.vehicles.confidence,
        np.array([style.tag_size(text) for text in texts]).reshape(-1, 2),
        (scene.height, scene.width),
    )
    for row, (x, y) in enumerate(tags.tolist()):
        _draw_leader(canvas, boxes[row], (x, y, *style.tag_size(texts[row])), colours[row], unit)
    for row, (x, y) in enumerate(tags.tolist()):
        width, height = style.tag_size(texts[row])
        cv2.rectangle(canvas, (x, y), (x + width - 1, y + height - 1), colours[row], cv2.FILLED)
        baseline = (x + style.padding, y + height - 1 - style.padding)
        ink = palette.text_colour(colours[row])
        cv2.putText(canvas, texts[row], baseline, _FONT, style.scale, ink, style.thickness, cv2.LINE_AA)


def _draw_leader(
    canvas: NDArray[np.uint8],
    box: NDArray[np.float32],
    tag: tuple[int, int, int, int],
    colour: Colour,
    unit: float,
) -> None:
    """Lead from a box to its tag where they do not touch."""
    x, y, width, height = tag
    x1, y1, x2, y2 = np.round(box).astype(int).tolist()
    column = min(max((x1 + x2) // 2, x), x + width - 1)
    if y + height < y1:
        cv2.line(canvas, (column, y + height), (column, y1), colour, max(1, round(unit)), cv2.LINE_AA)
    elif y > y2:
        cv2.line(canvas, (column, y2), (column, y), colour, max(1, round(unit)), cv2.LINE_AA)


def label_text(scene: "Scene", row: int) -> str:
    """What a tag says: the track, the class and the confidence of a vehicle."""
    vehicles = scene.vehicles
    class_id = int(vehicles.class_id[row])
    track = "" if vehicles.track_id is None else f"#{vehicles.track_id[row]} "
    return f"{track}{scene.names.get(class_id, str(class_id))} {vehicles.confidence[row]:.2f}"


def place_tags(
    boxes: NDArray[np.float32],
    confidence: NDArray[np.float32],
    sizes: NDArray[np.int64],
    frame: tuple[int, int],
) -> NDArray[np.int64]:
    """Choose where each tag goes: at its box, in the frame, over as little as possible.

    Args:
        boxes: ``[n, 4]``, ``x1 y1 x2 y2`` in pixels.
        confidence: ``[n]``; the most confident chooses first.
        sizes: ``[n, 2]``, width and height of the tags in pixels.
        frame: Height and width of the frame.

    Returns:
        int64 ``[n, 2]``, ``x y`` of each tag's upper left corner; wholly inside the frame where it is large enough.
    """
    height, width = frame
    edges = np.round(boxes).astype(np.int64)
    tags = np.zeros((len(boxes), 4), np.int64)
    order = np.argsort(-confidence, kind="stable")
    for position, row in enumerate(order):
        candidates = _candidates(edges[row], sizes[row])
        room = np.maximum([width, height] - sizes[row], 0)
        corners = np.clip(candidates, 0, room)
        places = np.concatenate([corners, corners + sizes[row]], axis=1)
        area = float(np.prod(sizes[row]))
        over_tags = _overlap(places, tags[order[:position]]) / area
        over_boxes = _overlap(places, np.delete(edges, row, axis=0)) / area
        # Never over another tag if it can be helped, rather not over another vehicle, else in the order given.
        cost = 100 * over_tags + np.minimum(over_boxes, 3) + 0.12 * np.arange(len(places))
        tags[row] = places[np.argmin(cost)]
    return tags[:, :2]


def _candidates(box: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.int64]:
    """Corners a tag may have, the best first: above its box, below, inside, and further up."""
    (x1, y1, x2, y2), (width, height) = box, size
    return np.array(
        [
            (x1, y1 - height),
            (x2 - width, y1 - height),
            (x1, y2),
            (x2 - width, y2),
            (x1, y1),
            (x2, y1),
            (x1 - width, y1),
            *((x1, y1 - step * height) for step in (2, 3, 4, 5)),
            *((x1, y2 + step * height) for step in (1, 2, 3)),
        ]
    )


def _overlap(places: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    """Pixels of each place ``[k, 4]`` that lie on any of the others ``[m, 4]``, those on several counted often."""
    width = np.minimum(places[:, None, 2], others[None, :, 2]) - np.maximum(places[:, None, 0], others[None, :, 0])
    height = np.minimum(places[:, None, 3], others[None, :, 3]) - np.maximum(places[:, None, 1], others[None, :, 1])
    return (np.maximum(width, 0) * np.maximum(height, 0)).sum(axis=1).astype(np.float64)
