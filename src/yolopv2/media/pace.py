"""Which frames of a video, camera or stream are looked at."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from yolopv2.errors import YolopError

_JITTER = 0.001
"""Seconds by which a frame may come early: many files round their times to milliseconds."""


@dataclass(frozen=True)
class Pace:
    """How many frames of a video are given; stills are given always.

    Attributes:
        every: Only each such frame, beginning with the first: 2 for every second.
        max_fps: Of these at most so many per second of the video, evenly, or None for no limit.

    Raises:
        YolopError: A value is out of its range.

    Example:
        >>> wanted = Pace(every=2).chooser(fps=30)
        >>> [index for index in range(6) if wanted(index, index / 30)]
        [0, 2, 4]
        >>> Pace(max_fps=12).rate(30), Pace(every=2).rate(30)
        (12, 15.0)
    """

    every: int = 1
    max_fps: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.every, bool) or not isinstance(self.every, int) or self.every < 1:
            raise YolopError(f"every must be a whole number of at least 1, not {self.every!r}")
        fps = self.max_fps
        if fps is not None and (
            isinstance(fps, bool) or not isinstance(fps, int | float) or not (math.isfinite(fps) and fps > 0)
        ):
            raise YolopError(f"max_fps must be a number above 0, not {fps!r}")

    def chooser(self, fps: float | None) -> Callable[[int, float], bool]:
        """What tells of each frame of one video, in order, by its number and time in seconds, whether it is given.

        Args:
            fps: Frame rate of the video, or None where it is not known.
        """
        limit = self.max_fps
        if limit is None or (fps is not None and fps / self.every <= limit):
            return lambda index, time: index % self.every == 0
        last = -1

        def wanted(index: int, time: float) -> bool:
            nonlocal last
            interval = math.floor((time + _JITTER) * limit)
            if index % self.every or interval <= last:
                return False
            last = interval
            return True

        return wanted

    def rate(self, fps: float | None) -> float | None:
        """Rate of the frames that are given, of a video with this rate."""
        if fps is None:
            return None
        return fps / self.every if self.max_fps is None else min(fps / self.every, self.max_fps)


EVERY_FRAME = Pace()
"""No frame is left out."""
