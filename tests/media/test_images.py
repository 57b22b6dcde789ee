"""Stills compared with Pillow's reading of the same files."""

import io
import os
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from yolopv2.media.frame import Unreadable
from yolopv2.media.images import decode_image, read_image


def pillow(data: bytes) -> np.ndarray:
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


def assert_same(image: np.ndarray, expected: np.ndarray, tolerance: int = 0) -> None:
    assert image.shape == expected.shape
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert np.abs(image.astype(int) - expected).max() <= tolerance


MODES = {
    "JPEG": ["RGB", "L", "1", "CMYK"],
    "PNG": ["RGB", "L", "LA", "RGBA", "P", "1"],
    "WebP": ["RGB", "RGBA"],
    "TIFF": ["RGB", "L", "LA", "RGBA", "P", "1", "CMYK"],
    "BMP": ["RGB", "L", "RGBA", "P", "1"],
    "GIF": ["RGB", "L", "RGBA", "P", "1"],
    "PPM": ["RGB", "L", "1"],
}


@pytest.mark.parametrize(("format", "mode"), [(format, mode) for format, modes in MODES.items() for mode in modes])
def test_every_mode_as_pillow_reads_it(picture, encode, format, mode):
    data = encode(Image.fromarray(picture).convert(mode), format)
    image, remarks = decode_image(data)
    assert_same(image, pillow(data), tolerance=1 if mode == "CMYK" else 0)
    assert remarks == (["its CMYK colours were converted to RGB"] if mode == "CMYK" else [])


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WebP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(picture, encode, format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(picture, format, exif=exif.tobytes())
    assert_same(decode_image(data).image, pillow(data))


def test_transparent_palette_and_alpha_keep_the_stored_colours(picture, encode):
    rgba = np.dstack([picture, np.zeros(picture.shape[:2], np.uint8)])
    assert_same(decode_image(encode(rgba, "PNG")).image, picture)
    palette = Image.fromarray(picture).quantize(16)
    data = encode(palette, "PNG", transparency=0)
    assert_same(decode_image(data).image, np.asarray(palette.convert("RGB")))


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_of_16_bits_the_high_byte_is_kept(suffix, channels):
    deep = np.random.default_rng(1).integers(0, 1 << 16, (24, 32, channels)).astype(np.uint16)
    image, remarks = decode_image(cv2.imencode(suffix, deep[..., ::-1].copy())[1].tobytes())
    expected = np.broadcast_to(deep >> 8, (24, 32, 3))
    assert_same(image, expected, tolerance=1 if suffix == ".tiff" else 0)  # OpenCV rounds TIFF
    assert remarks == ["its 16 bits per channel were reduced to 8"]


def test_only_the_first_page_of_a_tiff(picture, encode):
    data = encode(picture, "TIFF", save_all=True, append_images=[Image.fromarray(picture[::-1])])
    image, remarks = decode_image(data)
    assert_same(image, picture)
    assert remarks == ["it has several pages: only the first was read"]


@pytest.mark.parametrize("format", ["GIF", "PNG", "WebP"])
def test_animations_are_refused_with_advice(picture, encode, format):
    data = encode(picture, format, save_all=True, append_images=[Image.fromarray(picture[::-1])])
    with pytest.raises(Unreadable, match=f"animated {format}: convert it to a video"):
        decode_image(data)


def test_a_bomb_is_refused_before_it_is_decoded(encode):
    with pytest.raises(Unreadable, match=r"12000x9000 pixels \(108 megapixels\) are more than the 100 megapixels"):
        decode_image(encode(Image.new("1", (12000, 9000)), "PNG"))


@pytest.mark.parametrize("size", [(1, 1), (7, 500), (500, 7)])
def test_too_small_to_see_anything(encode, size):
    with pytest.raises(Unreadable, match="too few to see anything"):
        decode_image(encode(Image.new("RGB", size), "PNG"))


@pytest.mark.parametrize("format", ["TIFF", "BMP", "PPM", "WebP", "JPEG", "PNG", "GIF"])
@pytest.mark.parametrize("part", [0.3, 0.9, 0.999])
def test_truncated(files, capfd, format, part):
    data = files[format]
    with pytest.raises(Unreadable, match="truncated"):
        decode_image(data[: int(len(data) * part)])
    assert capfd.readouterr().err == ""


def test_damage_inside_a_jpeg_is_found_and_printed_nowhere(picture, encode, capfd):
    data = bytearray(encode(picture, "JPEG"))
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    with pytest.raises(Unreadable, match="the JPEG data is corrupt"):
        decode_image(bytes(data))
    padded = encode(picture, "JPEG")
    image, remarks = decode_image(padded[:-2] + bytes(20) + padded[-2:])
    assert_same(image, pillow(padded))
    assert remarks == ["the JPEG data is slightly damaged: parts of the picture may be wrong"]
    assert capfd.readouterr().err == ""


def test_png_with_too_few_rows(capfd):
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(64 * 3 + 1) * 20))
    with pytest.raises(Unreadable, match=r"corrupt|decoded"):
        decode_image(b"\x89PNG\r\n\x1a\n" + header + rows + chunk(b"IEND", b""))
    assert capfd.readouterr().err == ""


def test_a_bad_colour_profile_is_overlooked(picture, encode, capfd):
    assert_same(decode_image(encode(picture, "PNG", icc_profile=b"no profile" * 20)).image, picture)
    assert capfd.readouterr().err == ""


def test_float_tiff_is_refused(picture, encode):
    with pytest.raises(Unreadable, match="32 bits per channel"):
        decode_image(encode(Image.fromarray(picture[..., 0].astype(np.float32)), "TIFF"))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WebP", "TIFF", "BMP", "GIF", "PPM"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_damage_anywhere_raises_nothing_else(files, format, data):
    content = bytearray(files[format])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        image = decode_image(bytes(content)).image
    except Unreadable:
        return
    assert image.dtype == np.uint8
    assert image.shape[2] == 3


def test_files_by_content_whatever_the_suffix(picture, files, tmp_path):
    path = tmp_path / "really a png.jpg"
    path.write_bytes(files["PNG"])
    assert_same(read_image(path).image, picture)


def test_what_is_no_regular_file(tmp_path):
    with pytest.raises(Unreadable, match="No such file"):
        read_image(tmp_path / "nothing.png")
    with pytest.raises(Unreadable, match="folder"):
        read_image(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(Unreadable, match="regular file"):
        read_image(tmp_path / "pipe.png")
    (tmp_path / "huge.png").touch()
    os.truncate(tmp_path / "huge.png", 3 << 30)
    with pytest.raises(Unreadable, match=r"3\.2 GB"):
        read_image(tmp_path / "huge.png")
