import colorsys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from yolopv2.data import photometric

EFFECTS = {
    "shift_colours": lambda image, rng: photometric.shift_colours(image, 0.1, 1.3, 0.8),
    "blur": lambda image, rng: photometric.blur(image, 1.0),
    "motion_blur": lambda image, rng: photometric.motion_blur(image, 7, 30.0),
    "noise": lambda image, rng: photometric.noise(image, 8.0, rng),
    "jpeg": lambda image, rng: photometric.jpeg(image, 40),
    "rain": photometric.rain,
    "fog": photometric.fog,
    "night": photometric.night,
}


def day() -> np.ndarray:
    """A bright frame with something in it."""
    rng = np.random.default_rng(0)
    return np.kron(rng.integers(40, 250, (12, 20, 3)), np.ones((8, 8, 1), int)).astype(np.uint8)


@settings(max_examples=10, deadline=None)
@given(st.data(), st.sampled_from(sorted(EFFECTS)), st.integers(0, 10**6))
def test_any_frame_keeps_its_shape_and_is_not_written_to(data: st.DataObject, name: str, seed: int) -> None:
    image = data.draw(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))))
    image.flags.writeable = False
    out = EFFECTS[name](image, np.random.default_rng(seed))
    assert out.shape == image.shape
    assert out.dtype == np.uint8
    assert not np.shares_memory(out, image)
    np.testing.assert_array_equal(out, EFFECTS[name](image, np.random.default_rng(seed)))


@given(st.tuples(*[st.integers(0, 255)] * 3), st.floats(-0.5, 0.5))
def test_colours_turn_as_in_the_reference(colour: tuple[int, int, int], hue: float) -> None:
    h, s, v = colorsys.rgb_to_hsv(*(level / 255 for level in colour))
    expected = np.array(colorsys.hsv_to_rgb((h + hue) % 1, s, v)) * 255
    out = photometric.shift_colours(np.array([[colour]], np.uint8), hue, 1.0, 1.0)
    np.testing.assert_allclose(out[0, 0], expected, atol=16)  # OpenCV keeps hues in steps of two degrees


def test_blur_smears_only_along_its_line() -> None:
    point = np.zeros((21, 21, 3), np.uint8)
    point[10, 10] = 255
    across = photometric.motion_blur(point, 7, 0.0)
    assert (across[10, 7:14] > 20).all()
    assert not across[[*range(10), *range(11, 21)]].any()
    down = photometric.motion_blur(point, 7, 90.0)
    np.testing.assert_allclose(down, across.transpose(1, 0, 2), atol=3)


def test_noise_has_the_deviation_asked_for() -> None:
    grey = np.full((300, 400, 3), 128, np.uint8)
    noisy = photometric.noise(grey, 9.0, np.random.default_rng(0)).astype(float)
    assert noisy.std() == pytest.approx(9.0, rel=0.03)
    assert noisy.mean() == pytest.approx(128, abs=0.3)


def test_compression_costs_detail_and_keeps_colours() -> None:
    image = day()
    errors = [np.abs(photometric.jpeg(image, quality).astype(int) - image).mean() for quality in (95, 50, 10)]
    assert errors == sorted(errors)
    flat = np.full((32, 32, 3), (200, 40, 90), np.uint8)
    np.testing.assert_allclose(photometric.jpeg(flat, 40), flat, atol=6)


@pytest.mark.parametrize("seed", range(8))
def test_fog_takes_contrast_from_what_is_far(seed: int) -> None:
    image = day()
    foggy = photometric.fog(image, np.random.default_rng(seed))
    near, far = slice(88, 96), slice(30, 40)
    lost = [foggy[rows].std() / image[rows].std() for rows in (near, far)]
    assert lost[1] < lost[0] < 1


@pytest.mark.parametrize("seed", range(8))
def test_night_is_darker_and_comes_once(seed: int) -> None:
    image = day()
    dark = photometric.night(image, np.random.default_rng(seed))
    assert dark.mean() < 0.6 * image.mean()
    assert (dark <= image).all()
    if dark.mean() < 70:
        np.testing.assert_array_equal(photometric.night(dark, np.random.default_rng(seed)), dark)


def test_rain_draws_streaks_that_are_brighter_than_the_scene() -> None:
    image = np.full((200, 300, 3), 60, np.uint8)
    wet = photometric.rain(image, np.random.default_rng(1))
    assert (wet >= image).all()
    assert 0.005 < (wet[..., 0] > np.median(wet) + 10).mean() < 0.3
