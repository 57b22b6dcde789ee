"""What happens at the glass: light that shines into it, dirt and drops that stick to it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.evaluation.corruptions.common import clouds, daylight, mix

_GLARE = (0.3, 0.5, 0.75, 1.1, 1.6)
_COVERED = (0.04, 0.09, 0.16, 0.25, 0.36)
_DROPS = (10, 25, 45, 70, 100)


def glare(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A low sun, by night a headlight: a disc that blinds, its halo and rays, and a veil over the whole frame."""
    strength = _GLARE[severity - 1]
    cx, cy = rng.uniform(0.25, 0.75), rng.uniform(0.25, 0.5)
    turn = rng.uniform(0, np.pi)
    rows, columns = 180, 320
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / rows
    dx, dy = x - cx * columns / rows, y - cy
    distance = np.hypot(dx, dy) + 1e-3
    rays = 0.5 + 0.5 * np.cos(8 * np.arctan2(dy, dx) + turn)
    halo = np.exp(-distance / (0.12 + 0.22 * strength)) * (0.75 + 0.25 * rays**4)
    disc = np.clip(1.5 - distance / (0.05 + 0.035 * strength), 0, 1)
    share = np.clip(disc + strength * 1.1 * halo + 0.07 * strength, 0, 1).astype(np.float32)
    return mix(image, (255.0, 250.0, 235.0), share)


def occlusion(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Dirt that covers a share of the lens, out of focus, and drops that turn the world upside down."""
    noise = clouds(180, 320, rng, coarsest=5, octaves=6)
    threshold = float(np.quantile(noise, 1 - _COVERED[severity - 1]))
    thickness = np.clip((noise - threshold) * 10, 0, 1) * (0.7 + 0.27 * clouds(180, 320, rng, coarsest=20))
    dirt = cv2.GaussianBlur(thickness.astype(np.float32), (0, 0), 1.2)
    light = 0.25 + 0.75 * daylight(image)
    places = rng.random((_DROPS[-1], 3))[: _DROPS[severity - 1]]
    return mix(_drops(image, places), (62 * light, 54 * light, 44 * light), np.asarray(dirt, np.float32))


def _drops(image: NDArray[np.uint8], places: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Lays drops on the glass: each shows the frame upside down, small and blurred.

    Args:
        image: uint8 ``[H, W, 3]``.
        places: float64 ``[n, 3]`` in 0..1: x, y and size of each.
    """
    height, width = image.shape[:2]
    seen = cv2.resize(image, (max(1, width // 16), max(1, height // 16)), interpolation=cv2.INTER_AREA)
    turned = cv2.resize(cv2.flip(seen, 0), (width, height), interpolation=cv2.INTER_LINEAR)
    mask = np.zeros((height, width), np.uint8)
    for x, y, size in places.tolist():
        radius = (0.004 + 0.022 * size**3) * width
        centre = (round(x * width * 16), round(y * height * 16))
        axes = (round(radius * 16), round(radius * 16 * (1 + 0.3 * size)))
        cv2.ellipse(mask, centre, axes, 0, 0, 360, 215, -1, cv2.LINE_AA, 4)
    soft = cv2.blur(mask, (5, 5)).astype(np.float32) / np.float32(255)
    return mix(image, np.asarray(turned, np.uint8), np.asarray(soft, np.float32))
