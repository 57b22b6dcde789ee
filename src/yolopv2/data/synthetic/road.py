"""Where the road runs: a bending, hilly reference line, and what is on either side of it.

Road coordinates are s, metres along the reference line, and t, metres to its right.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FAR = 600.0
"""Metres ahead that a road is followed."""

_BEHIND = 12.0


@dataclass(frozen=True)
class Alignment:
    """A road's reference line: heading and height as sums of sine waves over s, so it never ends.

    Attributes:
        bends: float ``[k, 3]``: amplitude of the heading in radians, wavelength in metres, phase.
        hills: float ``[k, 3]``: amplitude of the height in metres, wavelength in metres, phase.
    """

    bends: NDArray[np.float64]
    hills: NDArray[np.float64]

    @classmethod
    def draw(cls, rng: np.random.Generator, bend: float, slope: float) -> "Alignment":
        """Draw a line that turns by up to `bend` radians and climbs by up to about `slope` metres a metre."""
        share, wavelengths = rng.uniform(0.2, 0.5, 3), rng.uniform((160, 280, 500), (260, 480, 900))
        bends = np.stack([bend * share * rng.random(3), wavelengths, rng.uniform(0, 2 * np.pi, 3)], -1)
        lengths = rng.uniform((180, 350), (320, 700))
        heights = slope * rng.random(2) * lengths / (4 * np.pi)
        return cls(bends, np.stack([heights, lengths, rng.uniform(0, 2 * np.pi, 2)], -1))

    def heading(self, s: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Heading in radians, clockwise from the world's y axis."""
        return _waves(self.bends, np.asarray(s, np.float64))

    def height(self, s: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Height in metres."""
        return _waves(self.hills, np.asarray(s, np.float64))

    def slope(self, s: float) -> float:
        """Rise in metres a metre."""
        return float(self.height(s + 0.5) - self.height(s - 0.5))

    def ahead(self, s: float, t: float, yaw: float) -> "Stretch":
        """The road as seen by who is at (s, t) and looks `yaw` radians to the right of the road's heading."""
        along = np.arange(-_BEHIND, FAR + 1.0)
        heading = self.heading(s + along) - self.heading(s) - yaw
        middle = (heading[1:] + heading[:-1]) / 2
        x = np.concatenate([[0.0], np.cumsum(np.sin(middle))])
        y = np.concatenate([[0.0], np.cumsum(np.cos(middle))])
        here = round(_BEHIND)
        x += -x[here] - t * np.cos(-yaw)
        y += -y[here] + t * np.sin(-yaw)
        slope = self.slope(s)
        level = self.height(s + along) - self.height(s) - slope * along
        rise = np.interp(along, y, level)
        return Stretch(s + along, x, y, heading, rise, slope, float(self.heading(s)) + yaw)


@dataclass(frozen=True)
class Stretch:
    """The next stretch of a road, in the ego frame; the ground's height depends on y alone.

    Attributes:
        s: Stations, float ``[k]``, rising by a metre.
        x: Reference line, float ``[k]``.
        y: Reference line, float ``[k]``, rising.
        heading: Heading of the road relative to the ego, float ``[k]``, radians clockwise.
        rise: Height of the ground over the tangent plane at the ego at each metre of y from -12 on, float ``[k]``.
        slope: Rise of the tangent plane against the level.
        bearing: The ego's heading in the world, radians clockwise.
    """

    s: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    heading: NDArray[np.float64]
    rise: NDArray[np.float64]
    slope: float
    bearing: float

    @cached_property
    def _tables(self) -> tuple[list[float], list[float], list[float], list[float]]:
        return self.x.tolist(), self.y.tolist(), self.heading.tolist(), self.rise.tolist()

    def to_ego(self, s: NDArray[np.float64] | float, t: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Ego points ``[..., 3]`` on the ground of road coordinates."""
        heading = np.interp(s, self.s, self.heading)
        x = np.interp(s, self.s, self.x) + t * np.cos(heading)
        y = np.interp(s, self.s, self.y) - t * np.sin(heading)
        return np.stack(np.broadcast_arrays(x, y, self.ground(y)), axis=-1)

    def point(self, s: float, t: float) -> tuple[float, float, float]:
        """The same for a single point, many times faster."""
        k, share = self._station(s)
        xs, ys, headings, _ = self._tables
        heading = headings[k] + share * (headings[k + 1] - headings[k])
        x = xs[k] + share * (xs[k + 1] - xs[k]) + t * math.cos(heading)
        y = ys[k] + share * (ys[k + 1] - ys[k]) - t * math.sin(heading)
        return x, y, self.ground_at(y)[0]

    def heading_at(self, s: float) -> float:
        """The road's heading relative to the ego in radians."""
        k, share = self._station(s)
        headings = self._tables[2]
        return headings[k] + share * (headings[k + 1] - headings[k])

    def _station(self, s: float) -> tuple[int, float]:
        """Index of the station before s, and the share of the way to the next."""
        along = s - self._first
        if along < 0:
            return 0, 0.0
        k = int(along)
        return (k, along - k) if k < len(self.s) - 1 else (len(self.s) - 2, 1.0)

    @cached_property
    def _first(self) -> float:
        return float(self.s[0])

    def ground(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Height of the ground at distances ahead."""
        return np.interp(y, np.arange(-_BEHIND, FAR + 1.0), self.rise)

    def ground_at(self, y: float) -> tuple[float, float]:
        """The same for a single distance, and its rise in metres a metre."""
        rises, along = self._tables[3], y + _BEHIND
        k = int(along) if along > 0 else 0
        if k > len(rises) - 2:
            k = len(rises) - 2
        slope = rises[k + 1] - rises[k]
        return rises[k] + (along - k) * slope, slope


def _waves(waves: NDArray[np.float64], s: NDArray[np.float64]) -> NDArray[np.float64]:
    amplitude, wavelength, phase = waves.T
    return np.sum(amplitude * np.sin(2 * np.pi * s[..., None] / wavelength + phase), axis=-1)
