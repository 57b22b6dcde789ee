"""Fog, rain and snow, without knowledge of what stands in the frame: distance is guessed from the row."""

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.evaluation.corruptions.common import clouds, daylight, line, mix, scale_of, smear

_FOG = (0.35, 0.6, 1.0, 1.7, 3.0)
_RAIN = (0.0012, 0.002, 0.003, 0.0045, 0.0065)
_SNOW = (0.001, 0.0021, 0.0038, 0.006, 0.009)
_HORIZON = 0.45


def fog(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Light fades with distance into that of the fog (Koschmieder's law), in drifting banks."""
    density = _FOG[severity - 1] * (0.6 + 0.8 * clouds(90, 160, rng))
    return mix(image, _veil(image), 1 - np.exp(-density * _distance(90)[:, None]))


def rain(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Streaks near and far, grey air, and less light."""
    slant = float(rng.uniform(-0.35, 0.35))
    wet = cv2.convertScaleAbs(image, alpha=1 - 0.07 * severity)
    wet = mix(np.asarray(wet, np.uint8), _veil(image), 0.1 * severity * _distance(90)[:, None].repeat(2, 1))
    light = 0.35 + 0.65 * daylight(image)
    for size, share, length in ((1.0, 0.85, 22.0), (2.0, 0.15, 60.0)):
        drops = _specks(image, _RAIN[severity - 1] * share, size, rng)
        streaks = smear(drops, line(length * scale_of(image) / 2, np.pi / 2 + slant), cv2.BORDER_CONSTANT)
        wet = _shine(wet, streaks, light * (1.2 + 0.35 * severity))
    return wet


def snow(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Flakes near and far, and air and ground that turn white."""
    slant = float(rng.uniform(-0.8, 0.8))
    light = 0.4 + 0.6 * daylight(image)
    white = mix(image, _veil(image), 0.13 * severity * (0.35 + 0.65 * _distance(90))[:, None].repeat(2, 1))
    for size, share in ((1.3, 0.75), (3.0, 0.2), (6.5, 0.05)):
        flakes = _specks(image, _SNOW[severity - 1] * share / size, size, rng)
        fallen = smear(flakes, line(size * 1.8 * scale_of(image), np.pi / 2 + slant), cv2.BORDER_CONSTANT)
        white = _shine(white, fallen, 2.2 * light)
    return white


def _distance(rows: int) -> NDArray[np.float32]:
    """A guess of how far away each row is, float32 ``[rows]`` in 0..1: a flat road under the horizon, all far above."""
    below = np.linspace(0, 1, rows, dtype=np.float32) - _HORIZON
    return (1 / (1 + 7 * np.maximum(below, 0))).astype(np.float32)


def _veil(image: NDArray[np.uint8]) -> tuple[float, float, float]:
    """The colour of lit air, by day or by night."""
    light = daylight(image)
    return (50 + 145 * light, 52 + 148 * light, 56 + 150 * light)


def _specks(image: NDArray[np.uint8], density: float, size: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Soft white specks on black at half the frame's size, uint8 ``[H / 2, W / 2]``.

    Args:
        image: The frame they are to lie over.
        density: How many there are per pixel of a frame of 1280x720.
        size: Radius in pixels at 1280x720.
        rng: Places them: those of a lower density come first, so that more only joins them.
    """
    height, width = -(-image.shape[0] // 2), -(-image.shape[1] // 2)
    layer = np.zeros((height, width), np.uint8)
    places = rng.random((round(density * 1280 * 720), 3), np.float32)
    radius = size * scale_of(image) / 2
    if radius < 1:
        rows, columns = (places[:, 0] * height).astype(int), (places[:, 1] * width).astype(int)
        layer[rows, columns] = 90 + 165 * places[:, 2] * radius
        return layer
    for y, x, strength in places.tolist():
        centre = (round(x * width * 16), round(y * height * 16))
        reach = round(radius * (0.6 + 0.7 * strength) * 16)
        cv2.circle(layer, centre, reach, 120 + 135 * strength, -1, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(layer, (0, 0), radius / 3), np.uint8)


def _shine(image: NDArray[np.uint8], layer: NDArray[np.uint8], strength: float) -> NDArray[np.uint8]:
    """Adds a layer of white to a frame."""
    bright = cv2.convertScaleAbs(layer, alpha=strength)
    full = cv2.resize(bright, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(image, cv2.merge([full] * 3)), np.uint8)
