"""Read one still picture from a file or from memory."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.media.frame import Unreadable, check_size
from yolopv2.media.headers import ImageHeader, read_header
from yolopv2.media.quiet import codec_messages

MAX_FILE_BYTES = 1 << 30
"""Larger picture files are refused before they are read."""


class Picture(NamedTuple):
    """A decoded still.

    Attributes:
        image: uint8 ``[H, W, 3]``, RGB, contiguous, upright.
        remarks: What was changed on the way, each a sentence; mostly empty.
    """

    image: NDArray[np.uint8]
    remarks: list[str]


def read_image(path: str | os.PathLike[str]) -> Picture:
    """Read a picture file: JPEG, PNG, WebP, TIFF, BMP, GIF (one picture) or PNM, whatever its suffix says.

    The EXIF orientation is applied. Grey and palette pictures become RGB, CMYK is converted, of 16 bits per channel
    the high byte is kept, and an alpha channel is dropped (the colours are taken as stored).

    Args:
        path: The file.

    Returns:
        The picture and remarks on it.

    Raises:
        Unreadable: If it cannot be read; the message is the reason without the file's name.
    """
    return decode_image(read_file(path))


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Read a whole regular file of at most `MAX_FILE_BYTES`.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        Unreadable: If it is no regular file, too large, or the system refuses.
    """
    try:
        check_regular(path)
        size = os.stat(path).st_size
        if size > MAX_FILE_BYTES:
            raise Unreadable(f"{size / 1e9:.1f} GB are too much for a picture")
        return Path(path).read_bytes()
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror or error}") from None


def check_regular(path: str | os.PathLike[str]) -> None:
    """Refuse folders, pipes and devices, which have a file's name but cannot be read as one.

    Args:
        path: What should be a file.

    Raises:
        Unreadable: If it is something else.
        OSError: If it does not exist or the system refuses.
    """
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise Unreadable("it is a folder named like a file")
    if not stat.S_ISREG(mode):
        raise Unreadable("it is not a regular file; give a camera by its number")


def decode_image(data: bytes) -> Picture:
    """Decode a picture file held in memory, as `read_image` does.

    Args:
        data: The whole file.

    Returns:
        The picture and remarks on it.

    Raises:
        Unreadable: If it cannot be read.

    Example:
        >>> picture = decode_image(b"P6 16 8 255 " + bytes([250, 0, 0]) * 128)
        >>> picture.image.shape, picture.image[0, 0].tolist()
        ((8, 16, 3), [250, 0, 0])
    """
    header = read_header(data)
    check_size(header.width, header.height)
    if header.animated:
        raise Unreadable(
            f"it is an animated {header.format}: convert it to a video (such as MP4) or extract its pictures first"
        )
    if header.bits > 16:
        raise Unreadable(f"{header.bits} bits per channel are not supported: convert it to 8 bits first")
    return Picture(*_decode(data, header))


def _decode(data: bytes, header: ImageHeader) -> tuple[NDArray[np.uint8], list[str]]:
    with codec_messages() as messages:
        try:
            rgb = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
        except cv2.error:
            rgb = None
    if rgb is None:
        raise Unreadable(f"the {header.format} file is truncated, corrupt or of a kind that cannot be decoded")
    remarks = _remarks(header)
    for message in messages:
        if "extraneous bytes before marker" in message:  # the decoder found its way back; often mere padding
            remarks.append("the JPEG data is slightly damaged: parts of the picture may be wrong")
        elif not message.startswith(("libpng warning", "Warning", "Unknown", "[")):
            raise Unreadable(f"the {header.format} data is corrupt ({message})")
    return upright(np.asarray(rgb, np.uint8), header.orientation), remarks


def _remarks(header: ImageHeader) -> list[str]:
    remarks = []
    if header.bits > 8:
        remarks.append(f"its {header.bits} bits per channel were reduced to 8")
    if header.cmyk:
        remarks.append("its CMYK colours were converted to RGB")
    if header.more_pages:
        remarks.append("it has several pages: only the first was read")
    return remarks


def upright(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn a picture by its EXIF orientation (TIFF 6.0, tag 274).

    Args:
        image: uint8 ``[H, W, C]`` as stored.
        orientation: 1 to 8; 1 means upright already.

    Returns:
        The upright picture, contiguous.
    """
    if orientation in (5, 6, 7, 8):
        image = np.asarray(cv2.transpose(image), np.uint8)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)  # cv2's codes: 1 columns, 0 rows, -1 both
    return image if flip is None else np.asarray(cv2.flip(image, flip), np.uint8)
