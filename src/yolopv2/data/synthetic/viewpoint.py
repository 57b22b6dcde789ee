"""Who looks at what, in which light: what all painters of upright things share."""

import math

import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .canvas import OBSTACLE, Canvas
from .conditions import Conditions
from .road import Stretch

HEADLIGHT = np.array([1.0, 0.95, 0.85])
"""Colour of headlights."""

Points = NDArray[np.float64]


class Viewpoint:
    """A canvas, and all that says how a thing on the road appears on it.

    Args:
        canvas: What is painted on.
        camera: Who looks.
        stretch: Where the road runs.
        conditions: Light and weather.

    Attributes:
        sun: Unit vector towards the sun in the ego frame, float ``[3]``.
    """

    def __init__(self, canvas: Canvas, camera: Camera, stretch: Stretch, conditions: Conditions) -> None:
        self.canvas, self.camera, self.stretch, self.conditions = canvas, camera, stretch, conditions
        azimuth, level = conditions.sun_azimuth - stretch.bearing, math.cos(conditions.sun_elevation)
        self.sun = np.array([level * math.sin(azimuth), level * math.cos(azimuth), math.sin(conditions.sun_elevation)])
        self._shade = conditions.ambient * 0.92 + np.array([1.0, 0.85, 0.62]) * (0.10 * conditions.dark)

    def at(self, s: float, t: float, z: float = 0.0) -> Points:
        """Ego point ``[3]`` of road coordinates and a height over the ground."""
        x, y, ground = self.stretch.point(s, t)
        return np.array([x, y, ground + z])

    def light(self, normal: Points | None = None) -> Points:
        """Light on an upright face with a level normal ``[2]``, or on something round."""
        towards = 0.45 if normal is None else max(float(normal[0] * self.sun[0] + normal[1] * self.sun[1]), 0.0)
        return self._shade + self.conditions.sun * towards

    def headlights(self, x: float, y: float) -> Points:
        """Light of the ego's own lamps on something upright."""
        if self.conditions.dark == 0:
            return np.zeros(3)
        beam = math.exp(-((x / (1.5 + 0.3 * max(y, 0.0))) ** 2)) / (1 + (y / 14) ** 2)
        return HEADLIGHT * (0.35 * beam * self.conditions.dark)

    def through_haze(self, colour: Points, distance: float) -> Points:
        """A lit colour as it is seen from a distance in metres."""
        haze = self.conditions.haze(distance)
        return np.minimum(colour + (self.conditions.horizon - colour) * haze, 255)

    def face(self, outline: Points, colour: Points, distance: float) -> None:
        """Paint a flat face of an obstacle from its ego points ``[k, 3]`` and its lit colour."""
        cut = self.camera.clip_near(outline)
        if len(cut) >= 3:
            self.canvas.polygon(self.camera.project(cut), self.through_haze(colour, distance), OBSTACLE)


def up(z: float) -> Points:
    """A vector of z metres upwards."""
    return np.array([0.0, 0.0, z])
