"""A frame, its maps and its boxes moved together by one projective map.

Coordinates are continuous, as in `yolopv2.geometry.letterbox`: a frame's left edge is 0 and its right edge its width,
the middle of the first pixel is 0.5.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data.packed import MAPS, PackedSample
from yolopv2.geometry.letterbox import PADDING

Matrix = NDArray[np.float64]
Tile = tuple[int, int, int, int]
"""A part of a canvas: ``x1 y1 x2 y2``."""

_LEAST_SHARE = 0.25
"""Of a box's area that must be left inside a tile; with less the object can hardly be told."""

_LEAST_SIDE = 2.0
"""Pixels that a box must be wide and high."""


@dataclass(frozen=True)
class View:
    """How a frame is looked at.

    Attributes:
        scale: Factor from the frame's pixels to the canvas's.
        angle: Turn in degrees.
        shear: Slant of the two axes, in degrees.
        perspective: Relative change of the scale from the middle of the frame to its right and to its lower edge.
        flip: Mirrored.
        centre: Where the middle of the frame goes to on the canvas.
    """

    scale: float
    angle: float
    shear: tuple[float, float]
    perspective: tuple[float, float]
    flip: bool
    centre: tuple[float, float]

    def matrix(self, height: int, width: int) -> Matrix:
        """``[3, 3]``, from a frame of this size to the canvas."""
        to_middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]])
        far, low = self.perspective
        tilt = np.array([[1, 0, 0], [0, 1, 0], [2 * far / width, 2 * low / height, 1]])
        slant_x, slant_y = np.tan(np.radians(self.shear))
        slant = np.array([[1, slant_x, 0], [slant_y, 1, 0], [0, 0, 1]])
        cos, sin = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
        mirror = -1 if self.flip else 1
        place = np.array([[self.scale * mirror, 0, self.centre[0]], [0, self.scale, self.centre[1]], [0, 0, 1]])
        result: Matrix = place @ turn @ slant @ tilt @ to_middle
        return result


def warp_into(canvas: PackedSample, frame: PackedSample, matrix: Matrix, tile: Tile) -> None:
    """Draws a frame and its maps into a tile of a canvas; what lies outside the frame is grey.

    There it is known, of those labels that the frame has, that nothing is marked: prediction sees grey around its
    frames as well, and shall find it empty.

    Args:
        canvas: Written to.
        frame: What is drawn.
        matrix: From frame to canvas, ``[3, 3]``.
        tile: Where.
    """
    x1, y1, x2, y2 = tile
    # OpenCV counts from the middle of the first pixel.
    inside = (
        np.array([[1, 0, -x1 - 0.5], [0, 1, -y1 - 0.5], [0, 0, 1]]) @ matrix @ [[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]]
    )
    affine = not matrix[2, :2].any()
    size = (x2 - x1, y2 - y1)
    empty = [255.0 * (name.endswith("weight") and bool(frame.maps[..., i].any())) for i, name in enumerate(MAPS)]
    _warp_instances(canvas, frame, inside, tile)
    for source, target, borders in ((frame.image, canvas.image, (PADDING,) * 3), (frame.maps, canvas.maps, empty)):
        if affine:
            target[y1:y2, x1:x2] = cv2.warpAffine(source, inside[:2], size, borderValue=borders)
        else:
            target[y1:y2, x1:x2] = cv2.warpPerspective(source, inside, size, borderValue=borders)


def _warp_instances(canvas: PackedSample, frame: PackedSample, inside: Matrix, tile: Tile) -> None:
    """The part of `warp_into` for instances: numbers are not mixed, every pixel takes the nearest one."""
    if frame.instances is None:
        return
    if canvas.instances is None:
        canvas.instances = np.zeros(canvas.image.shape[:2], np.uint16)
    x1, y1, x2, y2 = tile
    canvas.instances[y1:y2, x1:x2] = cv2.warpPerspective(
        frame.instances, inside, (x2 - x1, y2 - y1), flags=cv2.INTER_NEAREST, borderValue=0
    )


def renumber(canvas: PackedSample, tile: Tile, kept: NDArray[np.intp], before: int) -> None:
    """Makes the instances in a tile refer to the canvas's boxes.

    Args:
        canvas: Whose instances of this tile refer to the rows of its frame's boxes.
        tile: Where.
        kept: Those of the frame's rows that are boxes of the canvas as well, in their order.
        before: Boxes of the canvas that come before them.
    """
    if canvas.instances is None:
        return
    part = canvas.instances[tile[1] : tile[3], tile[0] : tile[2]]
    numbers = np.zeros(max(int(part.max(initial=0)), int(kept.max(initial=-1)) + 1) + 1, np.uint16)
    numbers[kept + 1] = before + 1 + np.arange(len(kept))
    part[:] = numbers[part]


def warp_boxes(boxes: NDArray[np.float32], matrix: Matrix, tile: Tile) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Boxes after a projective map, cut at a tile.

    Args:
        boxes: ``[n, 5]``: class, ``x1 y1 x2 y2``.
        matrix: ``[3, 3]``.
        tile: Where they are looked at.

    Returns:
        ``[m, 5]``: those of which a quarter is left and that are at least two pixels wide and high; and ``[m]``, which
        rows they were.

    Example:
        >>> half = np.diag([0.5, 0.5, 1])
        >>> boxes = np.array([[0, 150, 0, 200, 8], [0, 10, 10, 30, 50]], np.float32)
        >>> moved, kept = warp_boxes(boxes, half, (0, 0, 80, 80))
        >>> moved.tolist(), kept.tolist()
        ([[0.0, 5.0, 5.0, 15.0, 25.0]], [1])
    """
    x1, y1, x2, y2 = boxes[:, 1:].astype(np.float64).T
    # An octagon in the box: things do not fill their boxes' corners, which when turned would make boxes too wide.
    u = np.array([1, 3, 4, 4, 3, 1, 0, 0])[:, None] / 4
    v = np.array([0, 0, 1, 3, 4, 4, 3, 1])[:, None] / 4
    points = np.stack([x1 + u * (x2 - x1), y1 + v * (y2 - y1), np.ones((8, len(boxes)))])
    moved = np.einsum("ij,jpn->ipn", matrix, points)
    moved = moved[:2] / moved[2]
    low, high = moved.min(1).T, moved.max(1).T
    whole = np.prod(high - low, 1)
    low, high = np.clip(low, tile[:2], tile[2:]), np.clip(high, tile[:2], tile[2:])
    sides = high - low
    keep = (np.prod(sides, 1) >= _LEAST_SHARE * whole) & (sides.min(1, initial=np.inf) >= _LEAST_SIDE)
    moved_boxes = np.concatenate([boxes[keep, :1], low[keep], high[keep]], 1).astype(np.float32)
    return moved_boxes, np.flatnonzero(keep)
