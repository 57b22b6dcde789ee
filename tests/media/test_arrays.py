"""Arrays and PIL pictures in memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageOps

from yolopv2.media.arrays import array_to_rgb, is_pil_image, pil_to_rgb
from yolopv2.media.frame import Unreadable


def test_rgb_is_passed_on_without_a_copy(picture):
    assert np.shares_memory(array_to_rgb(picture), picture)


@settings(max_examples=50, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16, np.float16, np.float32, np.float64]),
        st.tuples(st.integers(8, 12), st.integers(8, 12), st.sampled_from([0, 1, 3, 4])).map(
            lambda shape: shape if shape[2] else shape[:2]
        ),
        elements={"min_value": 0, "max_value": 1},
    )
)
def test_every_form_gives_contiguous_uint8_rgb(array):
    image = array_to_rgb(array)
    assert image.shape == (*array.shape[:2], 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    scale = {"uint8": 1, "uint16": 1 / 256}.get(array.dtype.name, 255)
    colours = array.reshape(*array.shape[:2], -1)[..., :3]
    assert np.abs(image - colours.astype(float) * scale).max() <= 1


def test_grey_of_16_bits_and_floats_keep_their_range():
    assert array_to_rgb(np.full((8, 9), 0xABCD, np.uint16))[0, 0].tolist() == [0xAB] * 3
    assert array_to_rgb(np.ones((8, 9, 1)))[0, 0].tolist() == [255] * 3
    assert array_to_rgb(np.full((8, 9, 4), [1, 2, 3, 0], np.uint8))[0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((0, 10, 3), np.uint8), "empty"),
        (np.zeros((0,)), "empty"),
        (np.zeros((3, 20, 30), np.uint8), r"transpose\(1, 2, 0\)"),
        (np.zeros((2, 20, 30, 3), np.uint8), "batch as a list"),
        (np.zeros((20, 30, 2), np.uint8), "is not"),
        (np.zeros((5, 30), np.uint8), "too few"),
        (np.zeros((20, 30), np.int64), "int64"),
        (np.zeros((20, 30), bool), "bool"),
        (np.zeros((20, 30), object), "object"),
        (np.full((20, 30), 255.0), "from 0 to 1, not 255 to 255"),
        (np.full((20, 30), np.nan), "nan"),
        (np.full((20, 30), -0.1), "-0.1"),
        (np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (20000, 20000, 3)), "megapixels"),
    ],
)
def test_other_arrays_are_refused_clearly(array, reason):
    with pytest.raises(Unreadable, match=reason):
        array_to_rgb(array)


@pytest.mark.parametrize("mode", ["RGB", "L", "LA", "RGBA", "P", "1", "CMYK", "HSV", "YCbCr", "LAB"])
def test_pil_modes(picture, mode):
    image = Image.fromarray(picture)
    image = image if mode == "LAB" else image.convert(mode)
    assert np.array_equal(pil_to_rgb(image), np.asarray(image.convert("RGB")))


def test_deep_pil_modes(picture):
    grey = picture[..., 0]
    deep = grey.astype(np.uint16) << 8
    for image in (
        Image.fromarray(deep),
        Image.fromarray(deep.astype(np.int32)),
        Image.fromarray(grey.astype(np.float32) / 255),
    ):
        assert np.array_equal(pil_to_rgb(image), np.repeat(grey[..., None], 3, axis=2)), image.mode
    with pytest.raises(Unreadable, match="int32"):
        pil_to_rgb(Image.fromarray(deep.astype(np.int32) * -1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pil_orientation(picture, encode, tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "x.png").write_bytes(encode(picture, "PNG", exif=exif.tobytes()))
    with Image.open(tmp_path / "x.png") as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
        assert np.array_equal(pil_to_rgb(image), expected)
        assert np.array_equal(pil_to_rgb(ImageOps.exif_transpose(image)), expected)  # not applied twice


def test_pil_pictures_that_cannot_be_read(picture, encode, tmp_path):
    (tmp_path / "cut.jpg").write_bytes(encode(picture, "JPEG")[:1500])
    (tmp_path / "moving.gif").write_bytes(
        encode(picture, "GIF", save_all=True, append_images=[Image.fromarray(picture[::-1])])
    )
    with Image.open(tmp_path / "cut.jpg") as image, pytest.raises(Unreadable, match="decoded"):
        pil_to_rgb(image)
    with Image.open(tmp_path / "moving.gif") as image, pytest.raises(Unreadable, match="animated"):
        pil_to_rgb(image)
    with pytest.raises(Unreadable, match="too few"):
        pil_to_rgb(Image.new("RGB", (1, 1)))


def test_what_is_a_pil_picture(picture):
    assert is_pil_image(Image.new("L", (9, 9)))
    assert not is_pil_image(picture)
    assert not is_pil_image("street.jpg")
