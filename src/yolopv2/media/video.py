"""Read the frames of a video, upright, at their true times, past damage."""

import os
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, NamedTuple

import av
import av.error
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from yolopv2.media.frame import Unreadable, check_size
from yolopv2.media.images import check_regular

_FILE_OPTIONS = {
    # A playlist named like a video must not make FFmpeg open other files or addresses: only demuxers that read
    # nothing but their own file, and no protocol but files.
    "format_whitelist": "mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,flv,asf,ogg,ivf,mxf,dv,mjpeg,"
    "yuv4mpegpipe",
    "protocol_whitelist": "file",
}
_DEMUX_ATTEMPTS = 20
_BT709, _BT601, _BT2020 = 1, 5, 9  # FFmpeg's numbers of the YUV matrices, the same in frames and in the converter


class VideoReader:
    """The video stream of one open container; close it, or use it as a context manager.

    Args:
        url: What FFmpeg is to open.
        options: FFmpeg's options, which must say what it may open.
        timeout: Seconds that opening and each read may take, or None for no limit.

    Attributes:
        fps: Average frame rate, or None where the container does not tell.
        duration: Seconds, or None where the container does not tell.
        total: Estimated number of frames, or None.
        damage: After the last frame, what was wrong on the way, as a sentence; None if nothing was.

    Raises:
        Unreadable: If there is no video to decode.
    """

    def __init__(self, url: str, options: dict[str, str], timeout: float | None = None) -> None:
        try:
            self._container = av.open(url, options=options, timeout=timeout, metadata_errors="replace")
        except (OSError, av.error.FFmpegError) as error:
            raise Unreadable(_reason(error, timeout)) from None
        self._demux_attempts = 1 if timeout else _DEMUX_ATTEMPTS  # a broken connection does not heal by reading on
        try:
            self._stream = _video_stream(self._container)
            self.fps = float(self._stream.average_rate) if self._stream.average_rate else None
            self.duration = _duration(self._container, self._stream)
            timed = round((self.duration or 0) * (self.fps or 0))  # the container's own count includes hidden frames
            self.total = timed or self._stream.frames or None
        except Unreadable:
            self._container.close()
            raise
        self.damage: str | None = None
        self._end = 0  # of the packets seen, in the stream's time base

    def frames(self) -> Iterator[tuple[NDArray[np.uint8], float]]:
        """Decode all frames; see `chosen`.

        Yields:
            The image and its time.
        """
        for _, image, time in self.chosen(lambda index, time: True):
            yield image, time

    def chosen(self, wanted: Callable[[int, float], bool]) -> Iterator[tuple[int, NDArray[np.uint8], float]]:
        """Decode the frames in order, holding only a few at a time; damaged packets are skipped.

        Args:
            wanted: Asked of every frame, by its number and its time in seconds since the video's start, whether it is
                given; one that is not costs only its decoding.

        Yields:
            The frame's number; the image, uint8 ``[H, W, 3]``, RGB, contiguous, upright; and its time.

        Raises:
            Unreadable: If no frame can be decoded, or one is too large or too small.
        """
        self._stream.thread_type = "AUTO"
        reformatter, clock = VideoReformatter(), _Clock(self._stream.start_time, self.fps)
        count = damaged = 0
        for packet in self._packets():
            damaged += packet.is_corrupt
            try:
                decoded = self._stream.decode(packet)
            except (OSError, av.error.FFmpegError):
                damaged += 1
                continue
            for frame in decoded:
                check_size(frame.width, frame.height)
                damaged += frame.is_corrupt
                time = clock.time(frame)
                if time is None:
                    damaged += 1
                    continue
                count += 1
                if not wanted(count - 1, time):
                    continue
                rgb = _to_rgb(frame, reformatter)
                yield count - 1, np.ascontiguousarray(_upright(rgb, _display_matrix(frame))), time
        if count == 0:
            raise Unreadable("no frame of the video can be decoded: it is truncated or corrupt")
        self.damage = self._describe(damaged, count)

    def _packets(self) -> Iterator[Any]:
        """Packets of the video stream; after an error, reading is tried again from where it stopped."""
        for _ in range(self._demux_attempts):
            try:
                for packet in self._container.demux(self._stream):
                    stamp = packet.dts if packet.pts is None else packet.pts
                    if stamp is not None:
                        self._end = max(self._end, stamp + (packet.duration or 0))
                    yield packet
                return
            except (OSError, av.error.FFmpegError):
                continue

    def _describe(self, damaged: int, count: int) -> str | None:
        remarks = []
        if damaged:
            remarks.append(f"{damaged} damaged part{'s' if damaged > 1 else ''} skipped or patched up")
        end = float((self._end - (self._stream.start_time or 0)) * self._stream.time_base)
        if self.duration and end < self.duration - max(0.25, 3 / (self.fps or 25)):
            remarks.append(f"it ends after {end:.1f} of {self.duration:.1f} seconds: the file is truncated or damaged")
        return f"{'; '.join(remarks)} ({count} frames read)" if remarks else None

    def close(self) -> None:
        """Close the container."""
        self._container.close()

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Clock:
    """Seconds since the start of a video, always growing.

    Args:
        start: The stream's first time stamp in its time base, or None to take the first frame's.
        fps: Frame rate, for frames without a time stamp.
    """

    def __init__(self, start: int | None, fps: float | None) -> None:
        self._start = start
        self._step = 1 / (fps or 25)
        self._shift = 0.0
        self._last: float | None = None

    def time(self, frame: Any) -> float | None:
        """The frame's time, or None if it comes out of order, as frames may after damage."""
        if frame.pts is None or frame.time_base is None:
            time = 0.0 if self._last is None else self._last + self._step
        else:
            self._start = frame.pts if self._start is None else self._start
            time = float((frame.pts - self._start) * frame.time_base) + self._shift
        if self._last is not None and time <= self._last:
            if self._last - time < 1:
                return None
            # The clock started again, as in transport streams glued together: go on from where it was.
            self._shift += self._last + self._step - time
            time = self._last + self._step
        self._last = time
        return time


class VideoInfo(NamedTuple):
    """What is known of a video before it is read.

    Attributes:
        fps: Average frame rate, or None.
        total: Estimated number of frames, or None.
        size: Width and height of the upright first frame, in pixels.
    """

    fps: float | None
    total: int | None
    size: tuple[int, int]


def open_video(path: str | os.PathLike[str]) -> VideoReader:
    """Open a video file. Only the file itself is read, whatever it refers to.

    Args:
        path: The file.

    Returns:
        Its reader.

    Raises:
        Unreadable: If it cannot be read or holds no video.
    """
    try:
        check_regular(path)
        if os.stat(path).st_size == 0:
            raise Unreadable("the file is empty")
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror or error}") from None
    return VideoReader(f"file:{os.path.abspath(path)}", _FILE_OPTIONS)


def probe_video(path: str | os.PathLike[str]) -> VideoInfo:
    """Open a video file and decode its first frame.

    Args:
        path: The file.

    Returns:
        What is known of it.

    Raises:
        Unreadable: If it cannot be read or holds no frame.
    """
    with open_video(path) as video:
        image, _ = next(video.frames())
        height, width = image.shape[:2]
        return VideoInfo(video.fps, video.total, (width, height))


def _reason(error: OSError | av.error.FFmpegError, timeout: float | None) -> str:
    if isinstance(error, ValueError):  # FFmpeg's "invalid data" and "invalid argument"
        return "it is not a video, or it is truncated or corrupt"
    if isinstance(error, av.error.ExitError):
        return f"no answer within {timeout:.0f} seconds"
    advice = "; check the address and the network" if timeout else ""
    return f"it cannot be opened as a video: {error.strerror or error}{advice}"


def _video_stream(container: Any) -> Any:
    for stream in container.streams.video:
        if stream.disposition & stream.disposition.attached_pic:  # cover art of a sound file
            continue
        if stream.codec_context is None:
            raise Unreadable("its video codec is not supported")
        check_size(stream.codec_context.width, stream.codec_context.height)
        return stream
    raise Unreadable("it holds no video" + (", only sound" if container.streams.audio else ""))


def _duration(container: Any, stream: Any) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if tag := stream.metadata.get("DURATION"):  # Matroska, as 00:00:04.000000000
        try:
            hours, minutes, seconds = tag.split(":")
            end = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
            return end - float((stream.start_time or 0) * stream.time_base)
        except ValueError:
            pass
    alone = len(container.streams) == 1  # otherwise the longest stream counts
    return container.duration / av.time_base if container.duration and alone else None


def _to_rgb(frame: Any, reformatter: VideoReformatter) -> NDArray[np.uint8]:
    """Convert by the matrix the frame is tagged with; untagged frames are BT.601, as FFmpeg takes them."""
    matrix = frame.colorspace if frame.colorspace in (_BT709, _BT2020) else _BT601
    # PyAV before 17 overlooks the tag, and does nothing when both sides are the same
    rgb = reformatter.reformat(frame, format="rgb24", src_colorspace=matrix, dst_colorspace=_BT601)
    return np.asarray(rgb.to_ndarray(), np.uint8)


def _display_matrix(frame: Any) -> NDArray[np.int32] | None:
    try:
        return np.frombuffer(bytes(frame.side_data[SideDataType.DISPLAYMATRIX]), np.int32)
    except KeyError:
        return None


def _upright(image: NDArray[np.uint8], matrix: NDArray[np.int32] | None) -> NDArray[np.uint8]:
    """Turn a frame by its display matrix (ISO 14496-12, 8.3.2): a stored pixel (x, y) is shown at (ax + cy, bx + dy).

    Args:
        image: uint8 ``[H, W, 3]`` as stored.
        matrix: The nine numbers ``a b u c d v x y w``; other turns than by quarters are ignored.

    Returns:
        The upright frame.
    """
    if matrix is None:
        return image
    a, b, c, d = (int(np.sign(matrix[i])) for i in (0, 1, 3, 4))
    if b and c and not (a or d):
        image = image.transpose(1, 0, 2)
        a, d = c, b
    if a < 0:
        image = image[:, ::-1]
    if d < 0:
        image = image[::-1]
    return image
