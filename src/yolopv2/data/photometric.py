"""What weather and cameras do to the pixels of a frame, labels untouched.

OpenCV and numpy alone. Of kornia 0.9's transforms, on a 640x360 frame and one core, RandomJPEG takes 22 ms,
RandomGaussianBlur 22, ColorJitter 39, RandomMotionBlur 12, RandomGaussianNoise 10 and RandomRain 7; there is no fog, no
night, and chance is PyTorch's global one, while a sample must follow from its number. What is here takes 0.5 to 2 ms.

All functions take and give uint8 RGB ``[H, W, 3]`` and leave what they are given as it is.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

_DARK = 70
"""Mean brightness below which a frame was taken at night; a third of BDD100K's are."""

_GRAINS = 1 << 19


def shift_colours(image: Image, hue: float, saturation: float, value: float) -> Image:
    """Turns the hues and scales saturation and value.

    Args:
        image: The frame.
        hue: Shares of the colour circle to turn by.
        saturation: Factor.
        value: Factor.
    """
    levels = np.arange(256)
    table = np.stack(
        [(levels + 180 * hue) % 180, np.minimum(levels * saturation, 255), np.minimum(levels * value, 255)]
    )
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    cv2.LUT(hsv, table.T.astype(np.uint8)[None], hsv)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB, hsv).astype(np.uint8, copy=False)


def blur(image: Image, sigma: float) -> Image:
    """Out of focus: a Gaussian of ``sigma`` pixels."""
    return cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8, copy=False)


def motion_blur(image: Image, length: int, angle: float) -> Image:
    """Smeared along a line.

    Args:
        image: The frame.
        length: Of the line, in pixels.
        angle: Of the line, in degrees.
    """
    side = length // 2 * 2 + 1
    kernel = np.zeros((side, side), np.float32)
    kernel[side // 2] = 1
    turned = cv2.warpAffine(kernel, cv2.getRotationMatrix2D((side // 2, side // 2), angle, 1), (side, side))
    return cv2.filter2D(image, -1, turned / turned.sum()).astype(np.uint8, copy=False)


def noise(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """A sensor's noise, of standard deviation ``sigma`` (of 255); grey, since cameras smooth that of colours away."""
    grain = np.resize(np.roll(_grains(), int(rng.integers(_GRAINS))), image.shape[:2]) * np.float32(sigma)
    return cv2.add(image, cv2.cvtColor(grain, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_8U).astype(np.uint8, copy=False)


@lru_cache(maxsize=1)
def _grains() -> NDArray[np.float32]:
    """Normal numbers, once for all frames: making new ones takes longer than all else that is done to a frame."""
    return np.random.default_rng(0).standard_normal(_GRAINS, np.float32)


def jpeg(image: Image, quality: int) -> Image:
    """Compressed and read again, at a quality of 1 to 100."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
    assert decoded is not None
    return decoded.astype(np.uint8, copy=False)


def rain(image: Image, rng: np.random.Generator) -> Image:
    """Streaks of drops, nearly parallel, before a scene that has lost some contrast."""
    height, width = image.shape[:2]
    light = min(1.4 * image.mean() + 40, 235)
    streaks = np.zeros((height, width), np.uint8)
    count = int(rng.uniform(0.0005, 0.002) * height * width)
    start = rng.uniform(-0.1, 1.1, (count, 2)) * (width, height)
    length = height * rng.uniform(0.02, 0.07, count)
    lean = np.radians(rng.uniform(-20, 20) + rng.normal(0, 2, count))
    end = start + np.stack([length * np.sin(lean), length * np.cos(lean)], -1)
    lines = np.rint(np.stack([start, end], 1)).astype(np.int32)
    cv2.polylines(streaks, list(lines), False, int(rng.uniform(70, 150)), 1, cv2.LINE_AA)
    veil = np.float32(rng.uniform(0.05, 0.3))
    return _towards(image, light, veil + (1 - veil) * streaks / np.float32(255))


def fog(image: Image, rng: np.random.Generator) -> Image:
    """Fog that thickens with distance, over a flat road whose horizon is a little above the middle.

    Koschmieder's law: of an object's light the share ``exp(-density * distance)`` arrives, the rest is the fog's own.
    """
    height = image.shape[0]
    light = min(1.6 * image.mean() + 20, 235)
    horizon = height * rng.uniform(0.35, 0.5)
    below = np.maximum(np.arange(height, dtype=np.float32) - horizon, 0.05 * height) / height
    share = 1 - np.exp(-rng.uniform(0.015, 0.07) / below)  # at most 3/4: what is labelled must be seen
    return _towards(image, light, np.repeat(share[:, None], image.shape[1], 1).astype(np.float32))


def night(image: Image, rng: np.random.Generator) -> Image:
    """A day's frame as if by night: dim, flat in the shadows, bluish, the road lit by headlamps.

    A frame that is dark already stays as it is.
    """
    if image.mean() < _DARK:
        return image.copy()
    height, width = image.shape[:2]
    levels = np.linspace(0, 1, 256)[:, None] ** rng.uniform(1.2, 1.8)
    tint = np.array([0.85, 0.92, 1.0]) ** rng.uniform(0, 1.5)
    dim = cv2.LUT(image, (255 * levels * tint).astype(np.uint8)[None]).astype(np.uint8, copy=False)
    x = (np.arange(width, dtype=np.float32) / width - rng.uniform(0.4, 0.6)) / rng.uniform(0.3, 0.5)
    y = (np.arange(height, dtype=np.float32) / height - rng.uniform(0.7, 0.9)) / rng.uniform(0.15, 0.3)
    lamps = np.exp(-y * y)[:, None] * np.exp(-x * x)[None]
    ambient = rng.uniform(0.15, 0.45)
    light = ambient + rng.uniform(0.2, 0.6) * lamps
    return _towards(dim, 0, (1 - light).astype(np.float32))


def _towards(image: Image, level: float, share: NDArray[np.float32]) -> Image:
    """Mixes a grey level into an image.

    Args:
        image: The frame.
        level: 0..255.
        share: Of the grey level in each pixel, ``[H, W]``, 0..1.
    """
    kept = cv2.cvtColor(1 - share, cv2.COLOR_GRAY2RGB)
    added = cv2.cvtColor((share * level).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    return cv2.add(cv2.multiply(image, kept, dtype=cv2.CV_8U), added).astype(np.uint8, copy=False)
