"""Pixels in and out: images, folders, videos, cameras and streams as frames; pictures and videos as files.

FFmpeg is loaded when the first video is read or written: it takes 16 MB.
"""

from typing import TYPE_CHECKING, Any

from yolopv2.files import write_bytes_atomic, write_image, write_text_atomic
from yolopv2.media.frame import Frame, Problem, Unreadable
from yolopv2.media.images import decode_image, read_image
from yolopv2.media.pace import Pace
from yolopv2.media.source import Source, open_source

if TYPE_CHECKING:
    from yolopv2.media.writer import VideoWriter

__all__ = [
    "Frame",
    "Pace",
    "Problem",
    "Source",
    "Unreadable",
    "VideoWriter",
    "decode_image",
    "open_source",
    "read_image",
    "write_bytes_atomic",
    "write_image",
    "write_text_atomic",
]


def __getattr__(name: str) -> Any:
    if name == "VideoWriter":
        from yolopv2.media.writer import VideoWriter

        return VideoWriter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
