"""Blurs: out of focus, shaken, and driving fast."""

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.evaluation.corruptions.common import line, scale_of, smear

_RADIUS = (3.0, 5.0, 8.0, 12.0, 17.0)
_LENGTH = (9.0, 16.0, 26.0, 40.0, 60.0)
_ZOOM = (1.03, 1.055, 1.09, 1.14, 1.21)

_DIRECT = 5.0  # largest radius filtered at full size; wider discs lose nothing by a smaller picture


def defocus_blur(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A lens out of focus: each point becomes a disc; nothing is random."""
    height, width = image.shape[:2]
    radius = _RADIUS[severity - 1] * scale_of(image)
    shrink = max(1.0, radius / _DIRECT)
    small = image
    if shrink > 1:
        size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    blurred = cv2.filter2D(small, -1, _disc(radius / shrink), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def motion_blur(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A camera that shakes while the shutter is open, more sideways than up and down."""
    angle = float(rng.uniform(-np.pi / 5, np.pi / 5))
    return smear(image, line(_LENGTH[severity - 1] * scale_of(image), angle))


def zoom_blur(image: NDArray[np.uint8], severity: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Driving fast with a slow shutter: everything moves away from the middle of the frame; nothing is random."""
    y, x = (image.shape[0] - 1) / 2, (image.shape[1] - 1) / 2

    def path(t: float) -> NDArray[np.float64]:
        zoom = _ZOOM[severity - 1] ** t
        return np.array([[zoom, 0, x * (1 - zoom)], [0, zoom, y * (1 - zoom)]])

    return smear(image, path)


def _disc(radius: float) -> NDArray[np.float32]:
    """A disc of sum 1 with a smooth edge, float32 ``[n, n]``."""
    reach = int(np.ceil(radius))
    offset = np.arange(-reach, reach + 1)
    distance = np.hypot(offset[:, None], offset)
    disc = np.clip(radius + 0.5 - distance, 0, 1)
    return (disc / disc.sum()).astype(np.float32)
