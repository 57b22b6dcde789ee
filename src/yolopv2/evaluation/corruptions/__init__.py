"""Fifteen ways in which a road picture goes bad, each at five severities.

After the common corruptions of Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions
and Perturbations" (https://arxiv.org/abs/1903.12261), adapted to the frames of a dash camera: rain, night, glare and
dirt on the lens take the place of what a car does not meet. Strengths are chosen for frames of 1280x720 and scale with
other sizes.
"""

import zlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError
from yolopv2.evaluation.corruptions.blur import defocus_blur, motion_blur, zoom_blur
from yolopv2.evaluation.corruptions.lens import glare, occlusion
from yolopv2.evaluation.corruptions.light import brightness, contrast, night
from yolopv2.evaluation.corruptions.signal import gaussian_noise, jpeg, pixelate, shot_noise
from yolopv2.evaluation.corruptions.weather import fog, rain, snow

Corruption = Callable[[NDArray[np.uint8], int, np.random.Generator], NDArray[np.uint8]]

CORRUPTIONS: dict[str, Corruption] = {
    "gaussian_noise": gaussian_noise,
    "shot_noise": shot_noise,
    "defocus_blur": defocus_blur,
    "motion_blur": motion_blur,
    "zoom_blur": zoom_blur,
    "fog": fog,
    "rain": rain,
    "snow": snow,
    "night": night,
    "glare": glare,
    "brightness": brightness,
    "contrast": contrast,
    "jpeg": jpeg,
    "pixelate": pixelate,
    "occlusion": occlusion,
}
"""Every corruption by its name; each takes a frame, a severity of 1 to 5 and a generator of random numbers."""

SEVERITIES = (1, 2, 3, 4, 5)

_LONGEST = 32766  # pixels; OpenCV moves no larger pictures


def corrupt(image: NDArray[np.uint8], name: str, severity: int, seed: int = 0) -> NDArray[np.uint8]:
    """A frame made worse; the same arguments give the same pixels.

    What is drawn at random (where drops fall, which way the camera shakes) depends on the name and the seed alone, so
    that a higher severity shows the same trouble, only more of it.

    Args:
        image: uint8 ``[H, W, 3]``, RGB, of any size from 1x1 to 32766x32766; it is not changed.
        name: One of `CORRUPTIONS`.
        severity: 1 (slight) to 5 (severe).
        seed: Not negative; take another one for each frame.

    Returns:
        uint8 ``[H, W, 3]``, RGB.

    Raises:
        YolopError: There is no such corruption, severity or seed, or the image is no such frame.

    Example:
        >>> frame = np.full((72, 128, 3), 90, np.uint8)
        >>> foggy = corrupt(frame, "fog", severity=3)
        >>> foggy.shape, bool(foggy.mean() > frame.mean())
        ((72, 128, 3), True)
    """
    if name not in CORRUPTIONS:
        raise YolopError(f"no corruption is called {name!r}; there are: {', '.join(CORRUPTIONS)}")
    if severity not in SEVERITIES:
        raise YolopError(f"a corruption has a severity of 1, 2, 3, 4 or 5, not {severity!r}")
    if max(image.shape[:2]) > _LONGEST:
        raise YolopError(f"a frame of {image.shape[1]}x{image.shape[0]} is too large: at most {_LONGEST} pixels a side")
    if seed < 0:
        raise YolopError(f"a seed is not negative, which {seed} is")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise YolopError(f"a frame to be corrupted is uint8 [H, W, 3], not {image.dtype} {list(image.shape)}")
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return CORRUPTIONS[name](np.ascontiguousarray(image), int(severity), rng)
