"""Inverse perspective: where on the road each pixel looks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .road import FAR, Stretch

ROW_STEPS = 4
"""Rows of a `RowTable` for a row of the frame."""


@dataclass(frozen=True)
class RowTable:
    """What lies on each row of a frame without roll, at steps of a quarter row from `top` down; float32 ``[n]`` each.

    Attributes:
        top: First row, measured from the principal point, on which there is ground.
        distance: y of the ground in metres.
        s: Station of the reference line at that y, relative to the ego.
        x: The reference line at that y.
        cos: Cosine of the road's heading there.
        sin: Its sine.
        footprint: Metres that a pixel is wide there.
    """

    top: float
    distance: NDArray[np.float32]
    s: NDArray[np.float32]
    x: NDArray[np.float32]
    cos: NDArray[np.float32]
    sin: NDArray[np.float32]
    footprint: NDArray[np.float32]

    @classmethod
    def build(cls, camera: Camera, stretch: Stretch, ego_s: float) -> "RowTable":
        """Cast one ray a row onto the hilly ground; what a crest hides is not seen."""
        y = 1 / np.linspace(1 / 0.8, 1 / (FAR * 0.9), 1400)
        line = np.stack([np.zeros_like(y), y, stretch.ground(y)], -1)
        depth = camera.depth(line)
        up = (line[:, 2] - camera.lens_height) * np.cos(camera.pitch) - y * np.sin(camera.pitch)
        row = -camera.focal * up / depth
        seen = row < np.concatenate([[np.inf], np.minimum.accumulate(row)[:-1]])
        reach = (camera.height + camera.width * abs(np.sin(camera.roll))) / 2 + 1
        rows = np.arange(row[seen][-1], max(reach, row[seen][-1] + 1), 1 / ROW_STEPS)
        distance = 1 / np.interp(rows, row[seen][::-1], 1 / y[seen][::-1])
        level = np.stack([np.zeros_like(distance), distance, stretch.ground(distance)], -1)
        heading = np.interp(distance, stretch.y, stretch.heading)
        columns = (
            distance,
            np.interp(distance, stretch.y, stretch.s) - ego_s,
            np.interp(distance, stretch.y, stretch.x),
            np.cos(heading),
            np.sin(heading),
            camera.depth(level) / camera.focal,
        )
        return cls(float(rows[0]), *(column.astype(np.float32) for column in columns))

    def locate(
        self, u: NDArray[np.float32], v: NDArray[np.float32]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float32]]:
        """Table row and road coordinates (s relative to the ego, t) of pixels without roll."""
        steps = np.clip((v - self.top) * ROW_STEPS, 0, len(self.distance) - 1)
        index = steps.astype(np.intp)
        t = u * (self.footprint * self.cos)[index] - (self.x * self.cos)[index]
        s = u * (self.footprint * self.sin)[index] + (self.s - self.x * self.sin)[index]
        return index, s, t

    def first_row(self, camera: Camera) -> int:
        """First frame row on which some pixel shows ground."""
        tilt = abs(np.sin(camera.roll)) * camera.width / 2
        row = (self.top - tilt) / np.cos(camera.roll) + (camera.height - 1) / 2
        return int(np.clip(np.floor(row), 0, camera.height - 2))
