"""Too little light, too much of it, and too little difference."""

import cv2
import numpy as np
from numpy.typing import NDArray

_GAIN = (1.4, 1.8, 2.4, 3.2, 4.5)
_CONTRAST = (0.5, 0.35, 0.23, 0.14, 0.07)
_AMBIENT = (0.36, 0.18, 0.085, 0.036, 0.014)

_MOON = np.array([0.75, 0.88, 1.15], np.float32)
_LAMP = np.array([1.1, 1.0, 0.8], np.float32)


def brightness(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Overexposed: what is bright turns white; nothing is random."""
    gain = _GAIN[severity - 1]
    levels = 255 * np.clip(np.linspace(0, 1, 256) * gain + 0.04 * (gain - 1), 0, 1)
    return np.asarray(cv2.LUT(image, levels.round().astype(np.uint8)), np.uint8)


def contrast(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Every value moves towards the mean of the frame; nothing is random."""
    mean = np.mean(cv2.mean(image)[:3])
    levels = (np.arange(256) - mean) * _CONTRAST[severity - 1] + mean
    return np.asarray(cv2.LUT(image, levels.round().astype(np.uint8)), np.uint8)


def night(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """As if the light had gone: moonlight, one's own headlights on the road, and the noise of a sensor that strains.

    The levels are made linear in light, dimmed, and made levels again. Lamps that are off by day stay off.
    """
    height, width = image.shape[:2]
    ambient = _AMBIENT[severity - 1]
    light = (_beam() * (0.5 * ambient**0.4))[..., None] * _LAMP + ambient * _MOON
    gain = np.round(255 * np.clip(light, 0, 1) ** (1 / 2.2)).astype(np.uint8)
    lit = cv2.multiply(image, cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR), scale=1 / 255)
    noise = np.frombuffer(rng.bytes(image.size), np.uint8).reshape(image.shape)
    spread = 0.016 * severity  # of 256 levels, so that the noise spans up to 20 of them
    return np.asarray(cv2.addWeighted(lit, 1, noise, spread, -128 * spread), np.uint8)


def _beam() -> NDArray[np.float32]:
    """Where one's own headlights fall, float32 ``[72, 128]`` in 0..1: the road ahead, not the sky."""
    y, x = np.mgrid[0:72, 0:128].astype(np.float32)
    return np.exp(-(((x - 64) / 44) ** 2) - ((y - 50) / 13) ** 2).astype(np.float32)
