"""What the sensor and the compression add: noise, blocks and coarse pixels."""

from functools import lru_cache
from statistics import NormalDist

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.evaluation.corruptions.common import scale_of

_DEVIATION = (0.06, 0.1, 0.16, 0.24, 0.36)
_PHOTONS = (60, 28, 13, 6, 3)
_QUALITY = (28, 18, 12, 8, 5)
_PIXEL = (2.5, 4, 6, 9, 13)

_QUANTILES = (np.arange(256) + 0.5) / 256


def gaussian_noise(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The electronics' noise: every value moves by the same normal distribution."""
    return _draw(image, _normal_table(severity), rng)


def shot_noise(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Noise of counted light: white is a Poisson number of photons with the mean `_PHOTONS`, darker values fewer."""
    return _draw(image, _poisson_table(severity), rng)


def jpeg(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blocks and smears of strong compression; nothing is random."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY[severity - 1]])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB), np.uint8)


def pixelate(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Coarse pixels, as of an enlarged small picture; nothing is random."""
    height, width = image.shape[:2]
    side = max(1.0, _PIXEL[severity - 1] * scale_of(image))
    small = cv2.resize(image, (max(1, round(width / side)), max(1, round(height / side))), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _draw(image: NDArray[np.uint8], table: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Replaces each value by one of the 256 equally likely ones that the table has for it: quicker than drawing."""
    chance = np.frombuffer(rng.bytes(image.size), np.uint8).reshape(image.shape)
    return table.reshape(-1)[(image.astype(np.uint16) << 8) | chance]


@lru_cache
def _normal_table(severity: int) -> NDArray[np.uint8]:
    normal = np.array([NormalDist().inv_cdf(q) for q in _QUANTILES.tolist()])
    values = np.arange(256)[:, None] + 255 * _DEVIATION[severity - 1] * normal
    return np.clip(values.round(), 0, 255).astype(np.uint8)


@lru_cache
def _poisson_table(severity: int) -> NDArray[np.uint8]:
    photons = _PHOTONS[severity - 1]
    counts = np.arange(4 * photons + 20)
    means = photons * np.maximum(np.arange(256), 1e-6)[:, None] / 255
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(counts[1:]))])
    below = np.cumsum(np.exp(counts * np.log(means) - means - log_factorial), axis=1)
    drawn = np.stack([np.searchsorted(row, _QUANTILES) for row in below])
    return np.clip(np.round(drawn * 255 / photons), 0, 255).astype(np.uint8)
