"""What a picture file says of itself, read without decoding it, and whether the file is whole.

Decoders differ in what they do with damaged files (many return a half-grey picture and no error), so the structure
is checked here first: every segment or chunk must be there, with its checksum where the format has one.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from yolopv2.media.frame import Unreadable


@dataclass(frozen=True)
class ImageHeader:
    """The header of one picture file.

    Attributes:
        format: Name of the format, for messages.
        width: Width in stored pixels, before the orientation is applied.
        height: Height in stored pixels.
        bits: Bits per channel.
        cmyk: Whether the colours are printing inks.
        orientation: EXIF orientation that is left to apply after decoding, 1 to 8.
        animated: Whether the file holds a moving picture.
        more_pages: Whether further pages follow the first.
    """

    format: str
    width: int
    height: int
    bits: int = 8
    cmyk: bool = False
    orientation: int = 1
    animated: bool = False
    more_pages: bool = False


def read_header(data: bytes) -> ImageHeader:
    """Read the header of a picture file and check that the file is whole.

    Args:
        data: The whole file.

    Returns:
        The header.

    Raises:
        Unreadable: If the file is empty, of no known picture format, truncated or corrupt.

    Example:
        >>> read_header(b"P5 64 48 255 " + bytes(64 * 48)).width
        64
    """
    if not data:
        raise Unreadable("the file is empty")
    for magic, name, parse in _FORMATS:
        if magic.match(data):
            try:
                return parse(data)
            except (struct.error, IndexError):
                raise Unreadable(f"the {name} file is truncated") from None
    raise Unreadable(_what_else(data))


def is_image(start: bytes) -> bool:
    """Whether a file begins like a picture of a known format.

    Args:
        start: Its first 64 bytes or more.

    Returns:
        True if so; the rest may still be damaged.
    """
    return any(magic.match(start) for magic, _, _ in _FORMATS)


def _jpeg(data: bytes) -> ImageHeader:
    position, orientation = 2, 1
    frame: tuple[int, int, int, int] | None = None
    while True:
        if data[position] != 0xFF:
            raise Unreadable("the JPEG file is corrupt: a marker is missing")
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker == 0xD9:
            break
        if not (0xC0 <= marker <= 0xCF or 0xDA <= marker <= 0xEF or marker == 0xFE):
            raise Unreadable(f"the JPEG file is corrupt: unknown marker 0x{marker:02x}")
        (length,) = struct.unpack_from(">H", data, position + 2)
        body, position = position + 4, position + 2 + length
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and frame is None:
            frame = struct.unpack_from(">BHHB", data, body)
        elif marker == 0xE1 and data.startswith(b"Exif\0\0", body):
            orientation = _exif_orientation(data[body + 6 : position])
        elif marker == 0xDA:
            end = _SCAN_END.search(data, position)
            if end is None:
                raise Unreadable("the JPEG file is truncated: its end marker is missing")
            position = end.start()
    if frame is None:
        raise Unreadable("the JPEG file is corrupt: it holds no picture")
    bits, height, width, components = frame
    return ImageHeader("JPEG", width, height, bits, cmyk=components == 4, orientation=orientation)


_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""In entropy-coded data 0xFF is followed by a stuffed zero, a fill byte or a restart; any other marker ends it."""


def _png(data: bytes) -> ImageHeader:
    width, height, bits = struct.unpack_from(">IIB", data, 16)
    orientation, animated = 1, False
    for kind, body in _png_chunks(data):
        if kind == b"acTL":
            animated = struct.unpack_from(">I", body)[0] > 1
        elif kind == b"eXIf":
            orientation = _exif_orientation(body)
    return ImageHeader("PNG", width, height, bits, orientation=orientation, animated=animated)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view, position, kind = memoryview(data), 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        (checksum,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(view[position + 4 : end]) != checksum:
            raise Unreadable("the PNG file is corrupt: a checksum does not match")
        yield kind, view[position + 8 : end]
        position = end + 4


def _webp(data: bytes) -> ImageHeader:
    (size,) = struct.unpack_from("<I", data, 4)
    if len(data) < size + 8:
        raise Unreadable("the WebP file is truncated")
    position, orientation, animated = 12, 1, False
    width = height = 0
    while position < size + 8:
        kind, length = struct.unpack_from("<4sI", data, position)
        body = position + 8
        if kind == b"VP8X":
            animated = bool(data[body] & 2)
            width = int.from_bytes(data[body + 4 : body + 7], "little") + 1
            height = int.from_bytes(data[body + 7 : body + 10], "little") + 1
        elif kind == b"VP8 " and not width:
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, body + 6))
        elif kind == b"VP8L" and not width:
            (packed,) = struct.unpack_from("<I", data, body + 1)
            width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
        elif kind == b"EXIF":
            orientation = _exif_orientation(data[body : body + length].removeprefix(b"Exif\0\0"))
        position = body + length + length % 2
    return ImageHeader("WebP", width, height, orientation=orientation, animated=animated)


def _gif(data: bytes) -> ImageHeader:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    position, pictures = 13 + _gif_table(flags), 0
    while (block := data[position]) != 0x3B:  # trailer
        if block == 0x21:  # extension
            position += 2
        elif block == 0x2C:  # picture
            pictures += 1
            if pictures > 1:
                break
            position += 11 + _gif_table(data[position + 9])
        else:
            raise Unreadable("the GIF file is corrupt: unknown block")
        while length := data[position]:
            position += 1 + length
        position += 1
    return ImageHeader("GIF", width, height, animated=pictures > 1)


def _gif_table(flags: int) -> int:
    """Bytes of the colour table that a flags byte announces."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _bmp(data: bytes) -> ImageHeader:
    (header_size,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header_size == 12 else "<ii", data, 18)
    return ImageHeader("BMP", abs(width), abs(height))  # a negative height means rows from top to bottom


def _pnm(data: bytes) -> ImageHeader:
    numbers = re.match(rb"P[1-6](?:\s+(?:#[^\n]*\n\s*)*(\d+))(?:\s+(?:#[^\n]*\n\s*)*(\d+))", data)
    if numbers is None:
        raise Unreadable("the PNM file is corrupt: its size is missing")
    maximum = re.match(rb"\s+(?:#[^\n]*\n\s*)*(\d+)", data[numbers.end() : numbers.end() + 1000])
    deep = data[1:2] not in b"14" and maximum is not None and int(maximum[1]) > 255
    return ImageHeader("PNM", int(numbers[1]), int(numbers[2]), bits=16 if deep else 8)


def _tiff(data: bytes) -> ImageHeader:
    tags, more_pages = _tiff_tags(data)
    if 256 not in tags or 257 not in tags:
        raise Unreadable("the TIFF file is corrupt: its size is missing")
    return ImageHeader(
        "TIFF",
        width=tags[256],
        height=tags[257],
        bits=tags.get(258, 1),
        cmyk=tags.get(262) == 5,
        more_pages=more_pages,
    )  # no orientation: OpenCV's TIFF decoder applies it itself, whatever it is asked


def _exif_orientation(exif: bytes | memoryview) -> int:
    try:
        orientation = _tiff_tags(bytes(exif))[0].get(274, 1)
    except struct.error:
        return 1  # a broken EXIF block is no reason to refuse the picture
    return orientation if 1 <= orientation <= 8 else 1


def _tiff_tags(data: bytes) -> tuple[dict[int, int], bool]:
    """First values of the integer tags of a TIFF's (or EXIF block's) first directory, and whether another follows."""
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    tags: dict[int, int] = {}
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", data, entry)
        code, size = _TIFF_INTEGERS.get(kind, ("", 0))
        if size:
            at = entry + 8 if size * values <= 4 else struct.unpack_from(order + "I", data, entry + 8)[0]
            if at + size <= len(data):  # a tag that points outside is as good as missing
                (tags[tag],) = struct.unpack_from(order + code, data, at)
    try:
        (following,) = struct.unpack_from(order + "I", data, start + 2 + 12 * count)
    except struct.error:  # many EXIF writers leave this field out
        following = 0
    return tags, following != 0


_TIFF_INTEGERS = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4)}


def _what_else(data: bytes) -> str:
    """Name what a file is that is no picture, as far as its first bytes tell."""
    if data[4:8] == b"ftyp":
        if data[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis"):
            return "HEIC and AVIF pictures are not supported: convert it to JPEG or PNG"
        return "it is not an image but a video: give it a video's file name"
    try:
        data[:256].decode("ascii")
    except UnicodeDecodeError:
        return "it is not an image of a supported format (JPEG, PNG, WebP, TIFF, BMP, GIF, PNM), or it is corrupt"
    return "it is not an image but text"


_FORMATS: list[tuple[re.Pattern[bytes], str, Callable[[bytes], ImageHeader]]] = [
    (re.compile(rb"\xff\xd8\xff"), "JPEG", _jpeg),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "PNG", _png),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "WebP", _webp),
    (re.compile(rb"GIF8[79]a"), "GIF", _gif),
    (re.compile(rb"II\*\0|MM\0\*"), "TIFF", _tiff),
    (re.compile(rb"BM.{12}[\x0c-\x7c]\0\0\0", re.DOTALL), "BMP", _bmp),
    (re.compile(rb"P[1-6]\s"), "PNM", _pnm),
]
