"""Frame and Problem: what reading gives, and what it says about inputs that could not be read as they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError

MAX_PIXELS = 100_000_000
"""Larger pictures are refused before they are decoded, so that a small file cannot fill the memory."""

MIN_SIDE = 8
"""Pictures with a shorter side are refused: there is nothing to see in them."""


class Unreadable(YolopError):  # noqa: N818 - reads as what it says of an input
    """One input cannot be read. The message is the reason alone, to follow the name of the input."""


@dataclass
class Frame:
    """One picture and where it came from.

    Attributes:
        image: uint8 ``[H, W, 3]``, RGB, contiguous, upright (EXIF or display matrix applied).
        source: The file's path or the URL (without a user name or password); a made-up name for arrays.
        index: 0 for stills, the running number of the frame for videos, cameras and streams.
        time: Seconds since the start of the video, or None for stills.
        fps: Average rate of the frames given of the video, or None for stills and where it is not known.
        is_video: Whether the frame is one of a video, camera or stream.
    """

    image: NDArray[np.uint8]
    source: str
    index: int = 0
    time: float | None = None
    fps: float | None = None
    is_video: bool = False


@dataclass(frozen=True)
class Problem:
    """What was wrong with one input.

    Attributes:
        source: The input, named like `Frame.source`.
        message: What is wrong with it, without its name.
        fatal: True when no frame came of it; False when it was read, with this remark.

    Example:
        >>> print(Problem("street.jpg", "the file is empty", fatal=True))
        street.jpg: the file is empty
    """

    source: str
    message: str
    fatal: bool

    def __str__(self) -> str:
        return f"{self.source}: {self.message}"


def check_size(width: int, height: int) -> None:
    """Refuse pictures that are too large to decode safely or too small to show anything.

    Args:
        width: Width in pixels.
        height: Height in pixels.

    Raises:
        Unreadable: If a side is below `MIN_SIDE` or the area above `MAX_PIXELS`.
    """
    if min(width, height) < MIN_SIDE:
        raise Unreadable(f"{width}x{height} pixels are too few to see anything: each side needs at least {MIN_SIDE}")
    if width * height > MAX_PIXELS:
        raise Unreadable(
            f"{width}x{height} pixels ({width * height / 1e6:.0f} megapixels) are more than the "
            f"{MAX_PIXELS / 1e6:.0f} megapixels allowed: scale it down first"
        )
