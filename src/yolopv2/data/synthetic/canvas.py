"""The picture being painted, and beside it the labels of what was painted."""

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

GROUND = 0
"""Label of pixels that show the road, the land or the sky."""

OBSTACLE = 255
"""Label of pixels that show something upright that is no vehicle."""

SUBPIXEL_BITS = 4
"""Bits of a pixel that `fixed_point` keeps."""

_REACH = 6000.0
_GLOW_SCALE = 4
_CIRCLE = np.array([[np.cos(a), np.sin(a)] for a in np.arange(14) * (np.pi / 7)])

Colour = NDArray[np.float64] | tuple[float, float, float]
Pixel = tuple[float, float]


@dataclass(frozen=True)
class Extent:
    """How much of a frame something took when it was painted.

    Attributes:
        pixels: Number of pixels.
        window: x1, y1, x2, y2 of a part of the frame that holds them all.
    """

    pixels: int
    window: tuple[int, int, int, int]


@dataclass(frozen=True)
class _Glow:
    centre: Pixel
    radius: float
    colour: NDArray[np.float64]
    stretch: float
    source: tuple[int, int]
    seen: list[int] | None

    def add_to(self, light: NDArray[np.uint8]) -> None:
        """Add to an image of light at a `_GLOW_SCALE` of the frame."""
        x, y = self.centre[0] / _GLOW_SCALE, self.centre[1] / _GLOW_SCALE
        wide = max(self.radius / _GLOW_SCALE, 0.7)
        high = wide * self.stretch
        x1, y1 = max(int(x - wide * 2.2), 0), max(int(y - high * 2.2), 0)
        x2, y2 = min(int(x + wide * 2.2) + 2, light.shape[1]), min(int(y + high * 2.2) + 2, light.shape[0])
        if x1 < x2 and y1 < y2:
            across = np.exp(-(((np.arange(x1, x2) - x) / wide) ** 2))
            down = np.exp(-(((np.arange(y1, y2) - y) / high) ** 2))
            added = np.minimum((down[:, None] * across)[..., None] * self.colour, 255).astype(np.uint8)
            light[y1:y2, x1:x2] = cv2.add(light[y1:y2, x1:x2], added)


@dataclass
class Canvas:
    """Paints far things first: what comes later covers what is there.

    Attributes:
        image: uint8 ``[H, W, 3]``, RGB.
        labels: uint8 ``[H, W]``: `GROUND`, `OBSTACLE`, or the number of a vehicle from 1 to 254.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    _glows: list["_Glow"] = field(default_factory=list, repr=False)

    @classmethod
    def blank(cls, height: int, width: int) -> "Canvas":
        """A black canvas on which everything is ground."""
        return cls(np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8))

    def polygon(self, points: NDArray[np.float64], colour: Colour, label: int | None = None) -> None:
        """Fill a convex polygon of pixels ``[k, 2]``, with soft edges in the image and hard ones in the labels."""
        if len(points) < 3 or self.outside(points):
            return
        fixed = fixed_point(points)
        if len(fixed) < 3:
            return
        red, green, blue = colour
        cv2.fillConvexPoly(self.image, fixed, (red, green, blue), cv2.LINE_AA, SUBPIXEL_BITS)
        if label is not None:
            cv2.fillConvexPoly(self.labels, fixed, label, cv2.LINE_8, SUBPIXEL_BITS)

    def faces(
        self,
        points: NDArray[np.float64],
        starts: tuple[int, ...],
        order: list[int],
        colours: NDArray[np.float64],
        skin: tuple[bool, ...],
        label: int,
    ) -> None:
        """Fill many convex polygons of one thing.

        Args:
            points: Pixels ``[n, 2]`` of all polygons.
            starts: Polygon i has the points from ``starts[i]`` up to ``starts[i + 1]``.
            order: The polygons to be filled, in order.
            colours: Colour of each polygon, ``[f, 3]``.
            skin: Whether a polygon lies on others, so that its label is there already.
            label: Label of the thing.
        """
        if _far_out(bounds(points)):
            for face in order:
                self.polygon(points[starts[face] : starts[face + 1]], colours[face], label)
            return
        fixed = np.rint(points * (1 << SUBPIXEL_BITS)).astype(np.int32)
        paints = colours.tolist()
        for face in order:
            part = fixed[starts[face] : starts[face + 1]]
            cv2.fillConvexPoly(self.image, part, paints[face], cv2.LINE_AA, SUBPIXEL_BITS)
            if not skin[face]:
                cv2.fillConvexPoly(self.labels, part, label, cv2.LINE_8, SUBPIXEL_BITS)

    def line(self, points: NDArray[np.float64], colour: Colour, thickness: float, label: int | None = None) -> None:
        """Draw a polyline of pixels ``[k, 2]``; a line thinner than a pixel fades instead."""
        if self.outside(points):
            return
        fixed, whole = [np.rint(np.clip(points, -_REACH, _REACH) * 16).astype(np.int32)], max(1, round(thickness))
        red, green, blue = colour
        cv2.polylines(self.image, fixed, False, (red, green, blue), whole, cv2.LINE_AA, SUBPIXEL_BITS)
        if label is not None:
            cv2.polylines(self.labels, fixed, False, label, whole, cv2.LINE_8, SUBPIXEL_BITS)

    def ellipse(self, centre: Pixel, radii: tuple[float, float], colour: Colour) -> None:
        """Fill an upright ellipse."""
        self.polygon(centre + _CIRCLE * radii, colour)

    def sprite(
        self, sprite: NDArray[np.uint8], to_frame: NDArray[np.float64], tone: NDArray[np.float64], label: int | None
    ) -> None:
        """Blend a sprite in.

        Args:
            sprite: uint8 ``[h, w, 4]``: RGB multiplied by alpha, and alpha.
            to_frame: ``[2, 3]`` affine map from sprite pixels to frame pixels.
            tone: ``[3, 4]`` linear map of the sprite's four channels to the colour that is painted.
            label: Label of pixels that are at least half covered.
        """
        height, width = sprite.shape[:2]
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
        window = self._window(corners @ to_frame[:, :2].T + to_frame[:, 2])
        if window is None:
            return
        x1, y1, x2, y2 = window
        local = to_frame.copy()
        local[:, 2] -= (x1, y1)
        warped = cv2.warpAffine(sprite, local, (x2 - x1, y2 - y1), flags=cv2.INTER_LINEAR)
        roi, alpha = self.image[y1:y2, x1:x2], warped[..., 3]
        shine_through = cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2RGB)
        roi[:] = cv2.add(cv2.multiply(roi, shine_through, scale=1 / 255), cv2.transform(warped, tone))
        if label is not None:
            self.labels[y1:y2, x1:x2][alpha >= 128] = label

    def texture(
        self,
        texture: NDArray[np.uint8],
        corners: NDArray[np.float64],
        source: NDArray[np.float64],
        tone: NDArray[np.float64],
        label: int | None,
    ) -> None:
        """Paint a texture in perspective.

        Args:
            texture: uint8 ``[h, w, c]``.
            corners: Pixels ``[4, 2]`` of a convex quadrilateral in the frame.
            source: Pixels ``[4, 2]`` of the texture that go to the corners.
            tone: ``[3, c + 1]`` affine map of the texture's channels to the colour that is painted.
            label: Label of the quadrilateral.
        """
        window = self._window(corners)
        if window is None:
            return
        x1, y1, x2, y2 = window
        local = corners - (x1, y1)
        homography = cv2.getPerspectiveTransform(source.astype(np.float32), local.astype(np.float32))
        size = (x2 - x1, y2 - y1)
        warped = cv2.warpPerspective(texture, homography, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
        cv2.fillConvexPoly(mask, fixed_point(local), 255, cv2.LINE_8, SUBPIXEL_BITS)
        cv2.copyTo(cv2.transform(warped, tone), mask, self.image[y1:y2, x1:x2])
        if label is not None:
            self.labels[y1:y2, x1:x2][mask > 0] = label

    def glow(
        self,
        centre: Pixel,
        radius: float,
        colour: Colour,
        stretch: float = 1.0,
        source: Pixel | None = None,
    ) -> None:
        """Let a lamp that has just been painted glow, unless something covers it later.

        Args:
            centre: Pixel (x, y) of the glow's middle.
            radius: Pixels at which it has fallen to 37%.
            colour: What it adds in the middle.
            stretch: How much higher than wide it is.
            source: Pixel of the lamp itself where that is not the middle.
        """
        x, y = source or centre
        height, width = self.labels.shape
        inside = 0 <= x < width and 0 <= y < height
        seen = self.image[int(y), int(x)].tolist() if inside else None
        self._glows.append(_Glow(centre, radius, np.asarray(colour, np.float64), stretch, (int(x), int(y)), seen))

    def flush_glow(self) -> None:
        """Put the glow of all lamps that are still to be seen on the image."""
        shown = [g for g in self._glows if g.seen is None or self.image[g.source[1], g.source[0]].tolist() == g.seen]
        if not shown:
            return
        height, width = self.labels.shape
        light = np.zeros((-(-height // _GLOW_SCALE), -(-width // _GLOW_SCALE), 3), np.uint8)
        for glow in shown:
            glow.add_to(light)
        full = cv2.resize(light, None, fx=_GLOW_SCALE, fy=_GLOW_SCALE, interpolation=cv2.INTER_LINEAR)
        self.image[:] = cv2.add(self.image, full[:height, :width])

    def extent(self, label: int, points: NDArray[np.float64] | None) -> Extent:
        """How much of the frame has a label, looking near some points or everywhere."""
        height, width = self.labels.shape
        window = (0, 0, width, height) if points is None else self._window(points)
        if window is None:
            return Extent(0, (0, 0, 0, 0))
        x1, y1, x2, y2 = window
        return Extent(int(np.count_nonzero(self.labels[y1:y2, x1:x2] == label)), window)

    def outside(self, points: NDArray[np.float64]) -> bool:
        """Whether all of some pixels are on one side of the frame."""
        height, width = self.labels.shape
        left, top, right, bottom = bounds(points)
        return right < -1 or bottom < -1 or left > width or top > height

    def _window(self, points: NDArray[np.float64]) -> tuple[int, int, int, int] | None:
        """The part of the frame around some pixels as x1, y1, x2, y2, or None when it is empty."""
        height, width = self.labels.shape
        left, top, right, bottom = bounds(points)
        x1, y1 = max(math.floor(left), 0), max(math.floor(top), 0)
        x2, y2 = min(math.ceil(right) + 1, width), min(math.ceil(bottom) + 1, height)
        return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def bounds(points: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """x1, y1, x2, y2 of pixels ``[k, 2]``; for a few points plain numbers are faster than arrays."""
    x, y = points.T.tolist()
    return min(x), min(y), max(x), max(y)


def _far_out(box: tuple[float, float, float, float]) -> bool:
    return min(box) < -_REACH or max(box) > _REACH


def fixed_point(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """A polygon of pixels ``[k, 2]`` as OpenCV fills it with `SUBPIXEL_BITS`; cut where it reaches far out of frame."""
    if _far_out(bounds(points)):
        for axis in (0, 1):
            for sign in (-1.0, 1.0):
                points = _cut(points, axis, sign)
    return np.rint(points * (1 << SUBPIXEL_BITS)).astype(np.int32)


def _cut(points: NDArray[np.float64], axis: int, sign: float) -> NDArray[np.float64]:
    """The part of a polygon where ``sign * points[:, axis] <= _REACH`` (Sutherland-Hodgman)."""
    kept: list[NDArray[np.float64]] = []
    away = sign * points[:, axis] - _REACH
    for i in range(len(points)):
        if (away[i] > 0) != (away[i - 1] > 0):
            kept.append(points[i - 1] + (points[i] - points[i - 1]) * (away[i - 1] / (away[i - 1] - away[i])))
        if away[i] <= 0:
            kept.append(points[i])
    return np.array(kept).reshape(-1, 2)
