"""open_source: whatever a person has, as one stream of frames."""

import math
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from yolopv2.errors import YolopError
from yolopv2.media.arrays import array_to_rgb, pil_to_rgb
from yolopv2.media.frame import Frame, Problem, Unreadable
from yolopv2.media.images import Picture, decode_image, read_image
from yolopv2.media.listing import Item, list_items
from yolopv2.media.live import camera_frames, stream_frames
from yolopv2.media.pace import EVERY_FRAME, Pace
from yolopv2.media.remote import fetch, serves_image

if TYPE_CHECKING:
    from yolopv2.media.video import VideoInfo

_MOST_VIDEOS_TO_COUNT = 100
"""With more videos `Source.total` is not worth the time to open them all."""


def raise_problem(problem: Problem) -> None:
    """Treat an input that cannot be read as an error, and overlook remarks.

    Args:
        problem: What was wrong.

    Raises:
        YolopError: If no frame came of the input.
    """
    if problem.fatal:
        raise YolopError(str(problem))


def open_source(
    source: Any, on_problem: Callable[[Problem], None] = raise_problem, pace: Pace = EVERY_FRAME
) -> "Source":
    """Open anything that holds frames.

    Args:
        source: An image or video file; a folder, read with all below it in natural order (hidden files and files of
            other kinds are passed over); a pattern such as ``drives/**/*.mp4``; a numpy array (see `array_to_rgb`)
            or PIL picture; an http or https address of an image; an http, https, RTSP or RTMP address of a video or
            stream; a camera's number; or a list or tuple of any of these.
        on_problem: Told of every input that cannot be read (fatal; the rest goes on) and of every remark. Left out,
            the first input that cannot be read raises a `YolopError`.
        pace: Which frames of videos, cameras and streams are given.

    Returns:
        The frames, to be iterated over.

    Raises:
        YolopError: If there is nothing to read: the source does not exist, or a folder or pattern holds no image
            or video.

    Example:
        >>> import numpy as np
        >>> with open_source([np.zeros((48, 64, 3), np.uint8)] * 2) as source:
        ...     [frame.source for frame in source]
        ['array-0', 'array-1']
    """
    return Source(list_items(source), on_problem, pace)


class Source:
    """Frames of stills and videos in order, one held at a time; made by `open_source`.

    Iterating again reads again. Inputs are opened only when their turn comes.

    Args:
        items: What to read.
        on_problem: Told of what cannot be read, and of remarks.
        pace: Which frames of videos, cameras and streams are given.
    """

    def __init__(self, items: list[Item], on_problem: Callable[[Problem], None], pace: Pace = EVERY_FRAME) -> None:
        self._items = items
        self._on_problem = on_problem
        self._pace = pace
        self._running: Generator[Frame, None, None] | None = None

    @property
    def is_video(self) -> bool:
        """Whether the source is one video, stream or camera, as far as its name tells."""
        return len(self._items) == 1 and self._items[0].kind in ("video", "stream", "camera")

    @property
    def files(self) -> list[str]:
        """Paths of the files that are to be read, also of those that will turn out unreadable."""
        return [item.value for item in self._items if item.kind in ("image", "video")]

    @property
    def fps(self) -> float | None:
        """Average frame rate if the source is one video file, else None."""
        return self._info.fps if self._info else None

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the upright frames in pixels if the source is one video file, else None."""
        return self._info.size if self._info else None

    @cached_property
    def total(self) -> int | None:
        """Number of frames to come, estimated for videos; None if there is no telling, as with streams."""
        from yolopv2.media.video import open_video

        kinds = [item.kind for item in self._items]
        if "stream" in kinds or "camera" in kinds or kinds.count("video") > _MOST_VIDEOS_TO_COUNT:
            return None
        total = sum(kind in ("image", "image_url", "array", "pil") for kind in kinds)
        for item in self._items:
            if item.kind == "video":
                try:
                    with open_video(item.value) as video:
                        if video.total is None:
                            return None
                        rate = self._pace.rate(video.fps)
                        total += math.ceil(video.total * rate / video.fps) if rate and video.fps else video.total
                except Unreadable:
                    continue  # gives no frame; reported when its turn comes
        return total

    @cached_property
    def _info(self) -> "VideoInfo | None":
        if len(self._items) != 1 or self._items[0].kind != "video":
            return None
        from yolopv2.media.video import probe_video

        try:
            return probe_video(self._items[0].value)
        except Unreadable:
            return None  # reported when it is read

    def __iter__(self) -> Iterator[Frame]:
        self.close()
        self._running = self._frames()
        return self._running

    def _frames(self) -> Generator[Frame, None, None]:
        for item in self._items:
            try:
                yield from self._read(item)
            except Unreadable as error:
                self._on_problem(Problem(item.name, str(error), fatal=True))

    def _read(self, item: Item) -> Iterator[Frame]:
        name, value = item.name, item.value
        if item.kind == "problem":
            raise Unreadable(value)
        if item.kind == "array":
            yield Frame(array_to_rgb(value), name)
        elif item.kind == "pil":
            yield Frame(pil_to_rgb(value), name)
        elif item.kind == "image":
            yield self._still(name, read_image(value))
        elif item.kind == "video":
            yield from self._video(name, value)
        elif item.kind == "camera":
            yield from self._paced(camera_frames(value, name, lambda message: self._remark(name, message)))
        else:
            yield from self._address(item)

    def _address(self, item: Item) -> Iterator[Frame]:
        if item.kind == "image_url" or serves_image(item.value):
            yield self._still(item.name, decode_image(fetch(item.value)))
        else:
            remark = partial(self._remark, item.name)
            yield from self._paced(stream_frames(item.value, item.name, remark))

    def _still(self, name: str, picture: Picture) -> Frame:
        for message in picture.remarks:
            self._remark(name, message)
        return Frame(picture.image, name)

    def _video(self, name: str, path: str) -> Iterator[Frame]:
        from yolopv2.media.video import open_video

        with open_video(path) as video:
            fps = self._pace.rate(video.fps)
            for index, image, time in video.chosen(self._pace.chooser(video.fps)):
                yield Frame(image, name, index, time, fps, is_video=True)
            if video.damage:
                self._remark(name, video.damage)

    def _paced(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        wanted = None
        for frame in frames:
            wanted = wanted or self._pace.chooser(frame.fps)
            if wanted(frame.index, frame.time or 0.0):
                frame.fps = self._pace.rate(frame.fps)
                yield frame

    def _remark(self, name: str, message: str) -> None:
        self._on_problem(Problem(name, message, fatal=False))

    def close(self) -> None:
        """Stop reading and close what is open; the source may be iterated over again."""
        if self._running is not None:
            with suppress(ValueError):  # another thread is just reading; its own end closes what is open
                self._running.close()
        self._running = None

    def __enter__(self) -> "Source":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
