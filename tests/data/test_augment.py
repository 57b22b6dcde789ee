import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.data.augment import AugmentConfig, augment
from yolopv2.data.packed import PackedSample

PLAIN = AugmentConfig(hue=0, saturation=0, value=0, blur=0, noise=0)


def frame_with_squares(rng: np.random.Generator, count: int = 4) -> PackedSample:
    """White squares on black: image, drivable map and boxes tell the same story."""
    image = np.zeros((90, 160, 3), np.uint8)
    boxes = []
    for _ in range(count):
        x, y, side = int(rng.integers(0, 130)), int(rng.integers(0, 60)), int(rng.integers(12, 28))
        image[y : y + side, x : x + side] = 255
        boxes.append([0, x, y, x + side, y + side])
    maps = np.zeros((90, 160, 4), np.uint8)
    maps[..., 0] = maps[..., 2] = image[..., 0]
    maps[..., 1] = maps[..., 3] = 255
    return PackedSample(image, maps, np.array(boxes, np.float32))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, 4]))
def test_labels_and_pixels_never_part_ways(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    out = augment(lambda: frame_with_squares(rng), 96, 160, replace(PLAIN, mosaic=float(count == 4)), rng)
    known = out.maps[..., 1] == 255
    np.testing.assert_allclose(out.image[known][:, 0], out.maps[known][:, 0], atol=2)
    np.testing.assert_array_equal(out.maps[..., 0], out.maps[..., 2])
    assert out.boxes is not None
    for _, x1, y1, x2, y2 in out.boxes:
        assert 0 <= x1 < x2 <= 160
        assert 0 <= y1 < y2 <= 96
        inside = out.maps[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2)), 0]
        assert inside.mean() > 0.6 * 255


def test_nothing_is_known_outside_the_frame() -> None:
    rng = np.random.default_rng(0)
    small = AugmentConfig(zoom=(0.5, 0.5), rotate=0, mosaic=0)
    out = augment([frame_with_squares(rng)], 96, 160, small, rng)
    assert (out.maps[..., 1] == 0).mean() > 0.5


def test_a_mosaic_with_an_unlabelled_frame_has_no_box_labels() -> None:
    rng = np.random.default_rng(0)
    frames = [frame_with_squares(rng) for _ in range(4)]
    frames[2].boxes = None
    assert augment(frames, 96, 160, PLAIN, rng).boxes is None


def test_same_seed_same_sample() -> None:
    frame = frame_with_squares(np.random.default_rng(1))
    a, b = (augment([frame], 96, 160, AugmentConfig(), np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(a.image, b.image)
    np.testing.assert_array_equal(a.boxes, b.boxes)


@pytest.mark.parametrize("count", [1, 4])
def test_frames_are_not_changed_in_place(count: int) -> None:
    frame = frame_with_squares(np.random.default_rng(1))
    before = frame.image.copy(), frame.maps.copy(), frame.boxes.copy()  # type: ignore[union-attr]
    augment([frame] * count, 96, 160, AugmentConfig(), np.random.default_rng(3))
    for now, then in zip((frame.image, frame.maps, frame.boxes), before, strict=True):
        np.testing.assert_array_equal(now, then)
