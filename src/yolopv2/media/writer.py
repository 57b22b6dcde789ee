"""Write a video that a browser plays."""

import math
import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import av.error
import cv2
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter
from numpy.typing import NDArray

from yolopv2.errors import YolopError
from yolopv2.files import cannot_write, hidden_path

_LONGEST_SIDE = 16384


def exact_rate(fps: float | Fraction) -> Fraction:
    """The fraction that a frame rate stands for; rates such as 29.97 are multiples of 1000/1001 (NTSC).

    Args:
        fps: Frames per second.

    Returns:
        The exact rate.

    Example:
        >>> exact_rate(29.97), exact_rate(25.0), exact_rate(12.5)
        (Fraction(30000, 1001), Fraction(25, 1), Fraction(25, 2))
    """
    if isinstance(fps, Fraction):
        return fps
    ntsc = Fraction(round(fps * 1.001) * 1000, 1001)
    return ntsc if ntsc and abs(ntsc - fps) < 2e-4 * fps else Fraction(fps).limit_denominator(1001)


class VideoWriter:
    """Write frames as H.264 in MP4 (yuv420p, BT.709, index at the front), which browsers and phones play.

    The file is written under a hidden name beside its own and takes its name when it is whole. Leaving the context
    finishes the file whatever ended it, so that Ctrl-C keeps a playable video of the frames written so far; without
    any frame no file is made. The video has no sound: the audio of an input video is dropped.

    Args:
        path: The file to write; missing folders are made, an existing file is replaced.
        fps: Frames per second; 29.97 and its like are taken as the exact fractions they stand for.
        width: Width in pixels. H.264 needs even sides, so an odd one is padded by repeating its last column.
        height: Height in pixels; an odd one is padded by repeating the last row.

    Raises:
        YolopError: If the file cannot be written, or the size or rate is none that H.264 holds.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with VideoWriter(f"{folder}/drive.mp4", fps=25, width=64, height=48) as video:
        ...         video.write(np.zeros((48, 64, 3), np.uint8))
        ...     os.listdir(folder)
        ['drive.mp4']
    """

    def __init__(self, path: str | os.PathLike[str], fps: float | Fraction, width: int, height: int) -> None:
        if not (math.isfinite(fps) and 0.001 <= fps <= 1000):
            raise YolopError(f"cannot write {path}: {fps} frames per second make no video")
        if min(width, height) < 1 or max(width, height) > _LONGEST_SIDE:
            raise YolopError(f"cannot write {path}: H.264 holds no {width}x{height} pixels, at most {_LONGEST_SIDE}")
        self.path = Path(path)
        self.frames = 0
        self._size = (width, height)
        self._closed = False
        try:
            self._temporary = hidden_path(path)
            if self.path.is_dir():
                raise IsADirectoryError(None, "a folder has this name")
            self._temporary.touch(exist_ok=False)  # tells at once whether the folder can be written to
        except OSError as error:
            raise cannot_write(path, error) from error
        self._container = av.open(
            f"file:{self._temporary.absolute()}", "w", format="mp4", options={"movflags": "+faststart"}
        )
        self._stream = self._add_stream(exact_rate(fps))
        self._to_yuv = VideoReformatter()

    def _add_stream(self, rate: Fraction) -> av.VideoStream:
        # A fifth of veryfast's work at its quality, for files twice as large: the network needs the processor more.
        stream = self._container.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "24"})
        width, height = self._size
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = Colorspace.ITU709
        context.color_range = 1  # limited, what players expect of yuv420p
        return stream

    def write(self, image: NDArray[np.uint8]) -> None:
        """Append one frame.

        Args:
            image: uint8 ``[H, W, 3]``, RGB; another size than the video's is scaled to it.

        Raises:
            YolopError: If the frame cannot be written, as when the disk is full; the unfinished file is removed.
        """
        height, width = image.shape[:2]
        if (width, height) != self._size:
            image = np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        odd = ((0, self._size[1] % 2), (0, self._size[0] % 2), (0, 0))
        frame = av.VideoFrame.from_ndarray(np.pad(image, odd, mode="edge") if any(map(any, odd)) else image)
        frame = self._to_yuv.reformat(frame, format="yuv420p", dst_colorspace=Colorspace.ITU709)
        frame.pts = self.frames
        frame.time_base = 1 / self._stream.codec_context.framerate
        try:
            self._container.mux(self._stream.encode(frame))
        except (OSError, av.error.FFmpegError) as error:
            raise self._abandon(error) from error
        self.frames += 1

    def close(self) -> None:
        """Finish the file and give it its name; nothing is left when no frame was written. May be called again.

        Raises:
            YolopError: If the file cannot be finished; it is removed then.
        """
        if self._closed:
            return
        if self.frames == 0:
            self._remove()
            return
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
            os.replace(self._temporary, self.path)
        except (OSError, av.error.FFmpegError) as error:
            raise self._abandon(error) from error
        finally:
            self._remove()

    def _abandon(self, error: OSError | av.error.FFmpegError) -> YolopError:
        self._remove()
        return cannot_write(self.path, OSError(error.errno, error.strerror))

    def _remove(self) -> None:
        self._closed = True
        with suppress(OSError, av.error.FFmpegError):
            self._container.close()
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
