"""The sky with its clouds and sun, and what stands against the horizon."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .canvas import Canvas
from .conditions import Conditions
from .layout import Style
from .road import Stretch
from .textures import fractal_noise

_STEP = 4


@dataclass(frozen=True)
class Backdrop:
    """A silhouette around the horizon.

    Attributes:
        rise: Its height in metres a metre of distance, for directions all around, float ``[n]``.
        colour: RGB before haze.
        haze: Share of haze in it.
    """

    rise: NDArray[np.float64]
    colour: NDArray[np.float64]
    haze: float


class SkyPainter:
    """Paints the sky of one drive.

    Args:
        conditions: Light and weather.
        style: What the road is like.
        rng: Draws clouds and silhouettes.
    """

    def __init__(self, conditions: Conditions, style: Style, rng: np.random.Generator) -> None:
        self.conditions = conditions
        self.drift = rng.uniform(0, 256, 2)
        self.cloud_size = float(rng.uniform(18, 40))
        count = int(rng.integers(20, 260))
        self.lamps = rng.uniform((-np.pi, -0.012, 0.5, 0), (np.pi, 0.02, 2.0, 1), (count, 4))
        self.backdrops = _draw_backdrops(conditions, style, rng)

    def paint(self, canvas: Canvas, camera: Camera, stretch: Stretch) -> None:
        """Paint the upper part of the canvas, down to below the horizon."""
        tilt = abs(np.sin(camera.roll)) * camera.width / 2
        lowest = camera.level_row(-stretch.slope - 0.05) + tilt + (camera.height - 1) / 2
        rows = int(np.clip(np.ceil(lowest) + _STEP, _STEP, camera.height))
        u, v = camera.level_coordinates(0, _STEP)
        small = self._sky(camera, stretch, u[: -(-rows // _STEP)], v[: -(-rows // _STEP)])
        full = cv2.resize(small, None, fx=_STEP, fy=_STEP, interpolation=cv2.INTER_LINEAR)
        canvas.image[:rows] = full[:rows, : camera.width]
        canvas.image[rows:] = np.clip(self.conditions.horizon, 0, 255).astype(np.uint8)
        for backdrop in self.backdrops:
            self._silhouette(canvas, camera, stretch, backdrop)
        if self.conditions.dark > 0:
            self._far_lamps(canvas, camera, stretch)

    def _far_lamps(self, canvas: Canvas, camera: Camera, stretch: Stretch) -> None:
        """Lights of the town at the horizon."""
        turn = np.angle(np.exp(1j * (self.lamps[:, 0] - stretch.bearing)))
        fade = self.conditions.dark * math.exp(-250 / self.conditions.visibility)
        for (_, rise, size, warm), azimuth in zip(self.lamps, turn, strict=True):
            if abs(azimuth) < 0.75:
                level = (math.tan(azimuth) * camera.focal, camera.level_row(rise - stretch.slope))
                centre = camera.from_level(*level)
                radius = max(size * camera.width / 1280, 0.5)
                colour = np.array([255.0, 190 + 50 * warm, 110 + 130 * warm]) * fade * (0.35 + 0.65 * size / 2)
                canvas.ellipse(centre, (radius, radius), colour)
                canvas.glow(centre, 3.5 * radius, colour * 0.4)

    def _sky(
        self, camera: Camera, stretch: Stretch, u: NDArray[np.float32], v: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        """The bare sky at some pixels without roll, uint8 ``[h, w, 3]``."""
        forward = camera.focal * np.cos(camera.pitch) + v * np.sin(camera.pitch)
        up = camera.focal * np.sin(camera.pitch) - v * np.cos(camera.pitch) + stretch.slope * forward
        flat = np.hypot(u, forward)
        rise = np.maximum(up / flat, 0.0)
        azimuth = np.arctan2(u, forward) + stretch.bearing
        look = self.conditions
        blend = (1 - np.exp(-rise * 4.5))[..., None]
        colour = look.horizon + (look.zenith - look.horizon) * blend
        colour = self._clouds(colour, rise, azimuth)
        if look.sun.any():
            colour = colour + self._sun(rise, azimuth)
        veiled = math.exp(-look.visibility / 220)
        return np.clip(colour + (look.horizon - colour) * veiled, 0, 255).astype(np.uint8)

    def _clouds(
        self, colour: NDArray[np.float64], rise: NDArray[np.float64], azimuth: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Lay clouds, at one height over the world, on the sky."""
        look, distance = self.conditions, 1 / np.maximum(rise + 0.06, 0.06)
        across = (np.sin(azimuth) * distance * self.cloud_size + self.drift[0]).astype(np.float32)
        along = (np.cos(azimuth) * distance * self.cloud_size + self.drift[1]).astype(np.float32)
        noise = cv2.remap(fractal_noise(256, 6, 31), across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        dense = (noise.astype(np.float64) - 128) / 40
        cover = np.clip((dense - (1.2 - 2.8 * look.clouds)) / 1.1, 0, 1) * np.clip(rise * 14, 0.15, 1)
        lit = np.clip(look.ambient * 260 + look.sun * 130, 0, 252)
        lit = lit if look.dark < 1 else look.zenith * 1.8 + look.horizon * 0.25
        shade = np.clip(1.06 - 0.13 * dense, 0.6, 1.06)[..., None] * lit
        return colour + (shade - colour) * (cover * (0.92 if look.clouds < 0.8 else 0.75))[..., None]

    def _sun(self, rise: NDArray[np.float64], azimuth: NDArray[np.float64]) -> NDArray[np.float64]:
        """Light around the sun's disc."""
        look = self.conditions
        turn = np.angle(np.exp(1j * (azimuth - look.sun_azimuth)))
        apart = np.hypot(turn * np.cos(look.sun_elevation), np.arctan(rise) - look.sun_elevation)
        glare = 300 * np.exp(-((apart / 0.045) ** 2)) + 85 * np.exp(-apart / 0.16) + 22 * np.exp(-apart / 0.6)
        return glare[..., None] * look.sun / look.sun.max()

    def _silhouette(self, canvas: Canvas, camera: Camera, stretch: Stretch, backdrop: Backdrop) -> None:
        """Paint one backdrop from its skyline down to below the horizon."""
        reach = camera.width * 0.56
        u = np.arange(-reach, reach, max(2.0, camera.width / 400))
        azimuth = np.arctan2(u, camera.focal) + stretch.bearing
        count = len(backdrop.rise)
        where = np.mod(azimuth / (2 * np.pi), 1.0) * count
        rise = backdrop.rise[where.astype(np.int64) % count] - stretch.slope
        v = camera.level_row(rise)
        floor = camera.level_row(-stretch.slope - 0.03)
        u = np.concatenate([u, u[::-1]])
        v = np.concatenate([v, np.full(len(v), floor)])
        points = np.stack(camera.from_level(u, v), -1)
        colour = backdrop.colour + (self.conditions.horizon - backdrop.colour) * backdrop.haze
        red, green, blue = np.clip(colour, 0, 255)
        cv2.fillPoly(canvas.image, [np.rint(points * 16).astype(np.int32)], (red, green, blue), cv2.LINE_AA, 4)


def _draw_backdrops(conditions: Conditions, style: Style, rng: np.random.Generator) -> tuple[Backdrop, ...]:
    light = conditions.ambient + 0.5 * conditions.sun
    near_haze = 1 - float(np.exp(-260 / conditions.visibility))
    far_haze = 1 - float(np.exp(-1500 / conditions.visibility))
    hills = 0.012 + 0.05 * rng.random() * _ring(rng, 1400, (5, 11, 23))
    trees = 0.006 + 0.03 * rng.random() * _ring(rng, 1400, (9, 40, 160, 340))
    layers = [Backdrop(hills, np.array([74.0, 88, 84]) * light, min(far_haze + 0.15, 0.97))]
    if style == "city" or rng.random() < 0.2:
        layers.append(Backdrop(_skyline(rng, 1400), rng.uniform(70, 125, 3) * light, max(near_haze, 0.25)))
    layers.append(Backdrop(trees, np.array([50.0, 62, 42]) * light * rng.uniform(0.7, 1.2), near_haze))
    return tuple(layers)


def _ring(rng: np.random.Generator, count: int, waves: tuple[int, ...]) -> NDArray[np.float64]:
    """A rugged closed curve between about 0 and 1, float ``[count]``."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    total = sum(np.sin(angle * k + rng.uniform(0, 6.3)) / (1 + i) for i, k in enumerate(waves))
    return np.clip(0.45 + 0.3 * np.asarray(total), 0, 1.2)


def _skyline(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Roofs of a distant town."""
    roofs = np.zeros(count)
    middle = np.abs(np.linspace(-1, 1, 6 * 60)).repeat(1)
    for _ in range(150):
        start, width = int(rng.integers(count)), int(rng.integers(4, 18))
        tall = 0.02 + 0.11 * rng.random() ** 2 * (1.2 - middle[start % len(middle)])
        roofs[np.arange(start, start + width) % count] = tall
    return roofs
