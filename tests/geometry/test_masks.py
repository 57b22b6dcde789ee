import contextlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from yolopv2.errors import YolopError
from yolopv2.geometry.masks import mask_area, mask_box, polygons, rle_area, rle_decode, rle_encode

sides = st.integers(1, 40)
masks = st.tuples(sides, sides).flatmap(lambda shape: arrays(bool, shape))


def naive_counts(mask: np.ndarray) -> list[int]:
    """Run lengths, pixel by pixel."""
    counts, current = [0], False
    for x in range(mask.shape[1]):
        for y in range(mask.shape[0]):
            if bool(mask[y, x]) != current:
                current = not current
                counts.append(0)
            counts[-1] += 1
    return counts


def naive_string(counts: list[int]) -> str:
    """The packing as the COCO API's documentation tells it, digit by digit."""
    characters = []
    for i, count in enumerate(counts):
        left = count - counts[i - 2] if i > 2 else count
        while True:
            digit, left = left & 31, left >> 5
            last = left == (-1 if digit & 16 else 0)
            characters.append(chr((digit if last else digit | 32) + 48))
            if last:
                break
    return "".join(characters)


@given(masks)
def test_run_lengths_equal_a_naive_implementation(mask):
    assert rle_encode(mask, compressed=False) == {"size": list(mask.shape), "counts": naive_counts(mask)}
    assert rle_encode(mask) == {"size": list(mask.shape), "counts": naive_string(naive_counts(mask))}


@given(masks, st.booleans())
def test_masks_come_back_from_run_lengths(mask, compressed):
    rle = rle_encode(mask, compressed)
    np.testing.assert_array_equal(rle_decode(rle), mask)
    assert rle_area(rle) == mask_area(mask) == mask.sum()


def test_a_disc_packs_as_the_coco_api_packs_it():
    y, x = np.mgrid[:37, :53]
    disc = (y - 18) ** 2 + (x - 25) ** 2 < 200
    packed = "X=3n08J4M2N2N2N2N2O0O2O00000O2O0001N1000001N101N2N2N2N2N3L6Hd>"  # from pycocotools 2.0.11
    assert rle_encode(disc) == {"size": [37, 53], "counts": packed}


def test_long_runs_survive_packing():
    mask = np.zeros((3000, 2000), bool)
    mask[1, 1] = mask[2900, 1900] = True
    np.testing.assert_array_equal(rle_decode(rle_encode(mask)), mask)


@pytest.mark.parametrize(
    "rle",
    [
        None,
        [],
        {},
        {"size": [2, 2]},
        {"size": [2], "counts": [4]},
        {"size": [2, 2.0], "counts": [4]},
        {"size": [2, True], "counts": [2]},
        {"size": [0, 2], "counts": []},
        {"size": [-2, -2], "counts": [4]},
        {"size": "22", "counts": [4]},
        {"size": [2, 2], "counts": [3]},
        {"size": [2, 2], "counts": []},
        {"size": [2, 2], "counts": ""},
        {"size": [2, 2], "counts": [5, -1]},
        {"size": [2, 2], "counts": [4.0]},
        {"size": [2, 2], "counts": [True, 3]},
        {"size": [2, 2], "counts": ["4"]},
        {"size": [2, 2], "counts": [10**40]},
        {"size": [2, 2], "counts": 4},
        {"size": [2, 2], "counts": "o"},
        {"size": [2, 2], "counts": "4\n"},
        {"size": [2, 2], "counts": "é"},
        {"size": [2, 2], "counts": "ooooooooo0"},
        {"size": [10**6, 10**6], "counts": [10**12]},
        {"size": [16384, 16384], "counts": [2**62, 2**62, 2**62, 2**62, 2**28]},
    ],
)
def test_hostile_run_lengths_are_refused(rle):
    with pytest.raises(YolopError, match="mask"):
        rle_decode(rle)


@given(st.text(max_size=30))
def test_any_text_as_counts_is_decoded_or_refused(text):
    with contextlib.suppress(YolopError):
        assert rle_decode({"size": [3, 5], "counts": text}).shape == (3, 5)


@given(masks)
def test_the_extent_is_that_of_the_set_pixels(mask):
    x, y, width, height = mask_box(mask)
    expected = np.zeros_like(mask)
    expected[y : y + height, x : x + width] = True
    assert not (mask & ~expected).any()
    assert width * height == 0 or all(edge.any() for edge in (mask[y], mask[:, x], mask[y + height - 1]))


def test_polygons_cover_their_areas_and_fill_holes():
    mask = np.zeros((200, 300), np.uint8)
    cv2.circle(mask, (80, 90), 60, 1, -1)
    cv2.rectangle(mask, (200, 20), (280, 180), 1, -1)
    whole = mask.copy()
    cv2.circle(mask, (80, 90), 20, 0, -1)
    mask[5, 5] = 1
    outlines = polygons(mask.astype(bool))
    assert len(outlines) == 2
    painted = np.zeros_like(mask)
    cv2.fillPoly(painted, [outline.astype(np.int32) for outline in outlines], 1)
    assert (painted != whole).mean() < 0.005
    assert sum(len(outline) for outline in outlines) < 60


@given(masks)
def test_polygons_stay_inside_the_mask(mask):
    for outline in polygons(mask):
        assert outline.dtype == np.float32
        assert len(outline) >= 3
        assert (outline >= 0.5).all()
        assert (outline <= [mask.shape[1] - 0.5, mask.shape[0] - 0.5]).all()
