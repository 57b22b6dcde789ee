"""Headers and structure of picture files, checked against Pillow's writers."""

import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from yolopv2.media.frame import Unreadable
from yolopv2.media.headers import ImageHeader, is_image, read_header

FORMATS = ["JPEG", "PNG", "WebP", "TIFF", "BMP", "GIF", "PPM"]
WITH_END = ["JPEG", "PNG", "WebP", "GIF"]
"""Formats whose structure tells where the file has to end; the decoder finds the others' missing rows."""


@pytest.mark.parametrize("format", FORMATS)
def test_size_and_format(picture, encode, format):
    data = encode(picture[:50, :70], format)
    header = read_header(data)
    assert (header.width, header.height, header.bits) == (70, 50, 8)
    assert header.format == {"PPM": "PNM"}.get(format, format)
    assert is_image(data[:64])


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("JPEG", {"progressive": True}),
        ("JPEG", {"restart_marker_blocks": 2}),
        ("JPEG", {"comment": b"\xff\xd9 looks like the end"}),
        ("WebP", {"lossless": True}),
        ("WebP", {"exif": Image.Exif().tobytes()}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ],
)
def test_variants_of_formats(picture, encode, format, options):
    header = read_header(encode(picture, format, **options))
    assert (header.width, header.height, header.orientation) == (128, 96, 1)


def test_deep_colour_cmyk_and_pages(picture, encode):
    deep = Image.fromarray(picture[..., 0].astype(np.uint16) << 8)
    assert read_header(encode(deep, "PNG")).bits == 16
    assert read_header(encode(deep, "TIFF")).bits == 16
    assert read_header(b"P5 # a comment\n8 # another\n9\n65535\n" + bytes(144)) == ImageHeader("PNM", 8, 9, bits=16)
    cmyk = Image.fromarray(picture).convert("CMYK")
    assert read_header(encode(cmyk, "JPEG")).cmyk
    assert read_header(encode(cmyk, "TIFF")).cmyk
    pages = {"save_all": True, "append_images": [Image.fromarray(picture[::-1])]}
    assert read_header(encode(picture, "TIFF", **pages)).more_pages
    for format in ("GIF", "PNG", "WebP"):
        assert read_header(encode(picture, format, **pages)).animated
        assert not read_header(encode(picture, format)).animated


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WebP"])
@pytest.mark.parametrize("orientation", range(10))
def test_orientation(picture, encode, format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = orientation if 1 <= orientation <= 8 else 1
    assert read_header(encode(picture, format, exif=exif.tobytes())).orientation == expected


@pytest.mark.parametrize("format", WITH_END)
@settings(max_examples=60, deadline=None)
@given(part=st.floats(0, 1, exclude_max=True))
def test_every_truncation_is_found(files, format, part):
    data = files[format]
    with pytest.raises(Unreadable):
        read_header(data[: int(len(data) * part)])


@settings(max_examples=100, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_every_changed_byte_of_a_png_is_found(files, where, flip):
    data = bytearray(files["PNG"])
    data[int(len(data) * where)] ^= flip
    with pytest.raises(Unreadable):
        read_header(bytes(data))


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_headers_raise_nothing_else(files, format, data):
    content = bytearray(files[format])
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, min(len(content), 400) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Unreadable):
        read_header(bytes(content[: data.draw(st.integers(0, len(content)))]))


def test_trailing_data_is_no_damage(files):
    for format in ("JPEG", "PNG"):
        assert read_header(files[format] + b"a phone's motion picture").width == 128


def test_broken_exif_is_no_reason_to_refuse(picture, encode):
    data = encode(picture, "JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xff")
    assert read_header(data).orientation == 1


def test_truncated_jpeg_that_ends_in_a_thumbnail(picture, encode):
    """The end marker of an embedded thumbnail must not pass for the picture's own."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + encode(picture[:8, :8], "JPEG")
    data = encode(picture, "JPEG", exif=exif)
    assert read_header(data).width == 128
    with pytest.raises(Unreadable, match="truncated"):
        read_header(data[:-200])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"a list of pictures\n", "text"),
        (bytes(range(128, 256)), "not an image of a supported format"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "HEIC"),
        (b"\0\0\0\x18ftypisom" + bytes(50), "video"),
        (b"\xff\xd8\xff\xd9", "holds no picture"),
        (b"II*\0\x08\0\0\0\0\0\0\0\0\0", "size is missing"),
    ],
)
def test_what_is_no_picture_is_named(data, reason):
    with pytest.raises(Unreadable, match=reason):
        read_header(data)


def test_png_without_end_but_whole_chunks():
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 0, 0, 0, 0))
    with pytest.raises(Unreadable, match="truncated"):
        read_header(start + chunk(b"IDAT", zlib.compress(bytes(90))))
