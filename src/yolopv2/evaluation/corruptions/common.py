"""What several corruptions are made of."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Path = Callable[[float], NDArray[np.float64]]
"""Where a picture is at time ``t`` of -1/2 to 1/2, as an affine matrix ``[2, 3]``; at 0 where it belongs."""

_MOST_DOUBLINGS, _SPACING = 6, 1.0  # pixels between two of the pictures that are averaged, where 64 suffice


def scale_of(image: NDArray[np.uint8]) -> float:
    """How much larger than 1280x720 a frame is, along its sides."""
    return float(np.sqrt(image.shape[0] * image.shape[1] / (720 * 1280)))


def smear(image: NDArray[np.uint8], path: Path, border: int = cv2.BORDER_REPLICATE) -> NDArray[np.uint8]:
    """The mean of a picture along a uniform movement, as a long exposure sees it; what is labelled stays in its middle.

    Averaging a picture with itself moved by 1/2, then by 1/4, 1/8 ... of the way is the mean of 32 equally spaced
    pictures for five steps, provided the movement composes: ``path(s)`` after ``path(t)`` is ``path(s + t)``. Each
    is moved to the nearest pixel, which is ten times as quick as between pixels and does not show in the mean.

    Args:
        image: uint8 ``[H, W]`` or ``[H, W, 3]``.
        path: The movement.
        border: What comes in from outside, an OpenCV border mode.
    """
    height, width = image.shape[:2]

    def moved(picture: NDArray[np.uint8], t: float, flags: int = cv2.INTER_NEAREST) -> NDArray[np.uint8]:
        return _u8(cv2.warpAffine(picture, path(t), (width, height), flags=flags, borderMode=border))

    distance = float(np.hypot(*(path(1.0) @ (0, 0, 1))))
    doublings = int(np.clip(np.ceil(np.log2(max(distance / _SPACING, 1))), 1, _MOST_DOUBLINGS))
    first = -0.5 + 0.5 ** (doublings + 1)  # so that the pictures lie evenly around t = 0
    image = moved(image, first, cv2.INTER_LINEAR)
    for doubling in range(1, doublings + 1):
        image = _u8(cv2.addWeighted(image, 0.5, moved(image, 0.5**doubling), 0.5, 0))
    return image


def line(length: float, angle: float) -> Path:
    """A straight movement of ``length`` pixels, ``angle`` radians down from the right."""
    x, y = length * np.cos(angle), length * np.sin(angle)
    return lambda t: np.array([[1.0, 0, x * t], [0, 1, y * t]])


def clouds(
    height: int, width: int, rng: np.random.Generator, coarsest: int = 3, octaves: int = 5
) -> NDArray[np.float32]:
    """Smooth noise in 0..1, float32 ``[height, width]``: each octave is half as coarse and half as strong.

    Args:
        height: In pixels.
        width: In pixels.
        rng: Draws it.
        coarsest: Cells of the coarsest octave along the height.
        octaves: How many sizes there are.
    """
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = coarsest * 2**octave
        grid = rng.random((cells, max(1, round(cells * 16 / 9))), np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5**octave
    low, high = float(total.min()), float(total.max())
    return (total - low) / max(high - low, 1e-6)


def mix(
    image: NDArray[np.uint8], other: NDArray[np.uint8] | tuple[float, float, float], share: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """``image * (1 - share) + other * share``.

    Args:
        image: uint8 ``[H, W, 3]``.
        other: The same, or one colour.
        share: float32 ``[h, w]`` of 0..1, of any size: it is stretched over the picture.
    """
    height, width = image.shape[:2]
    weight = cv2.resize(np.round(share * 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    weight = cv2.merge([weight] * 3)
    kept = cv2.multiply(image, cv2.bitwise_not(weight), scale=1 / 255)
    if isinstance(other, tuple):
        other = np.full((1, 1, 3), other, np.uint8).repeat(height, 0).repeat(width, 1)
    return _u8(cv2.add(kept, cv2.multiply(other, weight, scale=1 / 255)))


def daylight(image: NDArray[np.uint8]) -> float:
    """How light it is in a frame, in 0 (night) to 1 (day), from its mean level."""
    return float(np.clip((float(np.mean(cv2.mean(image)[:3])) - 20) / 70, 0, 1))


def _u8(image: object) -> NDArray[np.uint8]:
    return np.asarray(image, np.uint8)
