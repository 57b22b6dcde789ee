"""The dash camera: a pinhole with pitch and roll over a road.

The ego frame has its origin on the road beneath the lens: x to the right, y forward, z up, in metres.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Coordinate = TypeVar("Coordinate", float, NDArray[np.float64])

NEAR = 0.4
"""Metres in front of the lens at which things are cut off."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with square pixels and its principal point in the middle of the frame.

    Attributes:
        height: Rows of the frame.
        width: Columns of the frame.
        focal: Focal length in pixels.
        lens_height: Height of the lens over the road in metres.
        pitch: Radians, positive looking up.
        roll: Radians, positive when the horizon tilts clockwise in the picture.
    """

    height: int
    width: int
    focal: float
    lens_height: float
    pitch: float
    roll: float

    @cached_property
    def _axes(self) -> NDArray[np.float64]:
        """Columns: the directions of the picture's u, its v and the optical axis in the ego frame."""
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        up = np.array([0.0, -np.sin(self.pitch), np.cos(self.pitch)])
        right, ahead = np.array([1.0, 0.0, 0.0]), np.array([0.0, np.cos(self.pitch), np.sin(self.pitch)])
        return np.stack([cos * right + sin * up, sin * right - cos * up, ahead], axis=1)

    @cached_property
    def _numbers(self) -> tuple[float, ...]:
        """`_axes` as plain numbers, u first, for single points."""
        return tuple(float(value) for value in self._axes.T.reshape(-1))

    @cached_property
    def _lens(self) -> NDArray[np.float64]:
        return np.array([0.0, 0.0, self.lens_height])

    @cached_property
    def _centre(self) -> NDArray[np.float64]:
        return np.array([(self.width - 1) / 2, (self.height - 1) / 2])

    def depth(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Metres along the optical axis of ego points ``[..., 3]``."""
        return (points - self._lens) @ self._axes[:, 2]

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels ``[..., 2]`` of ego points ``[..., 3]``, which must be at least `NEAR` in front of the lens."""
        return self.pixels(self.seen(points))

    def seen(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Ego points ``[..., 3]`` in the camera's frame: right, down and depth in metres."""
        return (points - self._lens) @ self._axes

    def seen_through(
        self, linear: NDArray[np.float64], offset: tuple[float, float, float]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Matrix and offset that take p to what `seen` makes of ``p @ linear + offset``, in one step."""
        return linear @ self._axes, (np.array(offset) - self._lens) @ self._axes

    def pixels(self, seen: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels ``[..., 2]`` of points in the camera's frame."""
        return seen[..., :2] * (self.focal / seen[..., 2:]) + self._centre

    def pixel(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """Pixel (u, v) and depth of one ego point; the pixel means nothing when the depth is not over 0."""
        a, b, c, d, e, f, g, h, i = self._numbers
        z -= self.lens_height
        depth = g * x + h * y + i * z
        scale = self.focal / (depth or 1e-9)
        u, v = (a * x + b * y + c * z) * scale, (d * x + e * y + f * z) * scale
        return u + (self.width - 1) / 2, v + (self.height - 1) / 2, depth

    def level_coordinates(self, top: int = 0, step: int = 1) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Coordinates of pixels in a frame without roll, from the principal point.

        Args:
            top: First row.
            step: Every how many rows and columns; the middle pixel of each square is taken.

        Returns:
            u and v, float32 ``[(height - top) / step, width / step]`` each, rounded up.
        """
        columns = np.arange(0, self.width, step, dtype=np.float32) + np.float32(step // 2 - (self.width - 1) / 2)
        rows = np.arange(top, self.height, step, dtype=np.float32) + np.float32(step // 2 - (self.height - 1) / 2)
        cos, sin = np.float32(np.cos(self.roll)), np.float32(np.sin(self.roll))
        return cos * columns + (sin * rows)[:, None], (cos * rows)[:, None] - sin * columns

    def from_level(self, u: Coordinate, v: Coordinate) -> tuple[Coordinate, Coordinate]:
        """Pixels of coordinates in a frame without roll."""
        cos, sin = math.cos(self.roll), math.sin(self.roll)
        return cos * u - sin * v + (self.width - 1) / 2, sin * u + cos * v + (self.height - 1) / 2

    def level_row(self, rise: Coordinate) -> Coordinate:
        """Row v, in a frame without roll, of far-off points that rise `rise` metres per metre."""
        cos, sin = math.cos(self.pitch), math.sin(self.pitch)
        return -self.focal * (rise * cos - sin) / (cos + rise * sin)

    def clip_near(self, polygon: NDArray[np.float64]) -> NDArray[np.float64]:
        """Cut an ego polygon ``[k, 3]`` at the near plane (Sutherland-Hodgman); ``[0, 3]`` when none is left."""
        depth = self.depth(polygon).tolist()
        if min(depth) >= NEAR:
            return polygon
        kept: list[NDArray[np.float64]] = []
        for i in range(len(polygon)):
            before, inside_before, inside = polygon[i - 1], depth[i - 1] >= NEAR, depth[i] >= NEAR
            if inside != inside_before:
                share = (NEAR - depth[i - 1]) / (depth[i] - depth[i - 1])
                kept.append(before + share * (polygon[i] - before))
            if inside:
                kept.append(polygon[i])
        return np.array(kept).reshape(-1, 3)
