"""The dash camera: a pinhole with pitch and roll over a road.

The ego frame has its origin on the road beneath the lens: x to the right, y forward, z up, in metres.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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

    def depth(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Metres along the optical axis of ego points ``[..., 3]``."""
        return points[..., 1] * np.cos(self.pitch) + (points[..., 2] - self.lens_height) * np.sin(self.pitch)

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels ``[..., 2]`` of ego points ``[..., 3]``, which must be at least `NEAR` in front of the lens."""
        up = (points[..., 2] - self.lens_height) * np.cos(self.pitch) - points[..., 1] * np.sin(self.pitch)
        scale = self.focal / self.depth(points)
        level_u, level_v = points[..., 0] * scale, -up * scale
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        u = (self.width - 1) / 2 + cos * level_u - sin * level_v
        v = (self.height - 1) / 2 + sin * level_u + cos * level_v
        return np.stack([u, v], axis=-1)

    def level_coordinates(self, top: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Coordinates of the pixels from row `top` on, in a frame without roll, from the principal point.

        Returns:
            u and v, float32 ``[height - top, width]`` each.
        """
        columns = np.arange(self.width, dtype=np.float32) - (self.width - 1) / 2
        rows = np.arange(top, self.height, dtype=np.float32)[:, None] - (self.height - 1) / 2
        cos, sin = np.float32(np.cos(self.roll)), np.float32(np.sin(self.roll))
        return cos * columns + sin * rows, cos * rows - sin * columns

    def level_row(self, rise: float) -> float:
        """Row v, in a frame without roll, of a far-off point that rises `rise` metres per metre."""
        up = rise * np.cos(self.pitch) - np.sin(self.pitch)
        return float(-self.focal * up / (np.cos(self.pitch) + rise * np.sin(self.pitch)))

    def clip_near(self, polygon: NDArray[np.float64]) -> NDArray[np.float64]:
        """Cut an ego polygon ``[k, 3]`` at the near plane (Sutherland-Hodgman); ``[0, 3]`` when none is left."""
        depth = self.depth(polygon)
        if depth.min() >= NEAR:
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
