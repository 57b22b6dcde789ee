"""Small textures drawn once from fixed seeds: noise, clouds."""

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

CvImage = NDArray[np.integer[Any] | np.floating[Any]]
"""What OpenCV's functions are declared to return."""


@lru_cache
def fractal_noise(size: int, octaves: int, seed: int) -> NDArray[np.uint8]:
    """Tileable noise with detail at every scale, uint8 ``[size, size]`` with mean 128 and deviation 40."""
    rng = np.random.default_rng(seed)
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        cells = min(size, 4 << octave)
        grid = np.pad(rng.standard_normal((cells, cells)).astype(np.float32), 2, mode="wrap")
        scale = size // cells
        full = cv2.resize(grid, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        total += full[2 * scale : 2 * scale + size, 2 * scale : 2 * scale + size] * 0.62**octave
    total = (total - total.mean()) / total.std()
    return np.clip(128 + 40 * total, 0, 255).astype(np.uint8)


@lru_cache
def grain(size: int, levels: int, seed: int) -> NDArray[np.uint8]:
    """White grain whose strength falls from level to level, uint8 ``[levels * size * size]``, mean 128."""
    white = np.random.default_rng(seed).standard_normal((size, size)).astype(np.float32)
    noise = cv2.GaussianBlur(white, (0, 0), 0.6, borderType=cv2.BORDER_REFLECT)
    noise = noise / noise.std() + (fractal_noise(size, 7, seed + 1).astype(np.float32) - 128) / 60
    strength = np.linspace(1, 0, levels, dtype=np.float32)[:, None, None]
    return np.clip(128 + 11 * strength * noise, 0, 255).astype(np.uint8).reshape(-1)
