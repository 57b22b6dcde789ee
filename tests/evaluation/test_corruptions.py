import time
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.data.synthetic import render_scene
from yolopv2.errors import YolopError
from yolopv2.evaluation.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from yolopv2.evaluation.corruptions.common import line, smear

every = pytest.mark.parametrize("name", CORRUPTIONS)


@lru_cache
def street() -> np.ndarray:
    return render_scene(119, height=360, width=640).image


def test_there_are_fifteen() -> None:
    assert len(CORRUPTIONS) == 15


@every
def test_each_severity_is_worse(name: str) -> None:
    """Further from the clean frame at every step, and by more than a rounding."""
    distances = [np.abs(corrupt(street(), name, s, seed=4).astype(int) - street()).mean() for s in SEVERITIES]
    assert distances[0] > 0.5
    assert all(worse > 1.08 * better for better, worse in pairwise(distances)), distances


@every
def test_the_same_seed_gives_the_same_pixels(name: str) -> None:
    before = street().copy()
    first, second = (corrupt(street(), name, 3, seed=7) for _ in range(2))
    assert np.array_equal(first, second)
    assert np.array_equal(street(), before)  # the frame itself is left as it was
    assert first.dtype == np.uint8
    assert first.shape == before.shape


@pytest.mark.parametrize(
    "name", ["gaussian_noise", "shot_noise", "motion_blur", "fog", "rain", "snow", "glare", "occlusion"]
)
def test_frames_do_not_share_their_trouble(name: str) -> None:
    assert not np.array_equal(corrupt(street(), name, 3, seed=1), corrupt(street(), name, 3, seed=2))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(CORRUPTIONS)),
    st.sampled_from(SEVERITIES),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 2**40),
)
def test_any_size(name: str, severity: int, height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    seen = corrupt(image, name, severity, seed)
    assert seen.shape == image.shape
    assert seen.dtype == np.uint8


@every
def test_one_pixel_and_flat_frames(name: str) -> None:
    for value in (0, 128, 255):
        for shape in ((1, 1, 3), (1, 500, 3), (500, 1, 3)):
            assert corrupt(np.full(shape, value, np.uint8), name, 5).shape == shape


@every
def test_a_strided_view_is_taken(name: str) -> None:
    view = street()[::2, ::-2]
    assert np.array_equal(corrupt(view, name, 2), corrupt(view.copy(), name, 2))


@every
def test_quick(name: str) -> None:
    frame = cv2.resize(street(), (1280, 720))
    corrupt(frame, name, 5)
    seconds = []
    for _ in range(5):
        start = time.process_time()
        corrupt(frame, name, 5)
        seconds.append(time.process_time() - start)  # its own: the clock would measure the neighbours
    assert min(seconds) < 0.12


def test_gaussian_noise_is_normal() -> None:
    noisy = corrupt(np.full((200, 300, 3), 128, np.uint8), "gaussian_noise", 2).astype(float)
    assert noisy.mean() == pytest.approx(128, abs=0.6)
    assert noisy.std() == pytest.approx(0.1 * 255, rel=0.03)


def test_shot_noise_grows_with_the_root_of_the_light() -> None:
    photons = 60
    for level in (40, 160):
        noisy = corrupt(np.full((200, 300, 3), level, np.uint8), "shot_noise", 1).astype(float)
        assert noisy.mean() == pytest.approx(level, rel=0.02)
        assert noisy.std() == pytest.approx(np.sqrt(level / 255 / photons) * 255, rel=0.05)


def test_a_smear_is_the_mean_along_a_line_and_keeps_its_middle() -> None:
    image = np.zeros((9, 90), np.uint8)
    image[4, 40] = 255
    seen = smear(image, line(32.0, 0.0)).astype(float)
    assert (seen[4] @ np.arange(90)) / seen.sum() == pytest.approx(40, abs=0.6)
    assert 31 <= np.count_nonzero(seen[4]) <= 34
    assert seen[4].max() == pytest.approx(255 / 32, abs=1.5)
    assert np.count_nonzero(seen) == np.count_nonzero(seen[4])


@pytest.mark.parametrize(
    "name", [name for name in CORRUPTIONS if name not in ("rain", "snow", "glare", "occlusion", "fog")]
)
def test_nothing_moves_away_from_its_label(name: str) -> None:
    """A bright disc is still where it was, on the whole, off the middle of the frame as well."""
    frame = np.zeros((720, 1280, 3), np.uint8)
    cv2.circle(frame, (960, 480), 30, (255, 255, 255), -1)
    y, x = np.mgrid[0:720, 0:1280]

    def centre(image: np.ndarray) -> tuple[float, float]:
        weight = np.clip(cv2.blur(image, (9, 9))[..., 0].astype(float) - image.mean() * 1.5 - 2, 0, None)
        return (weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()

    assert centre(corrupt(frame, name, 3)) == pytest.approx((960, 480), abs=3)


def test_contrast_keeps_the_mean_and_brightness_whitens() -> None:
    frame = street()
    assert corrupt(frame, "contrast", 3).mean() == pytest.approx(frame.mean(), abs=1)
    assert corrupt(frame, "contrast", 3).std() == pytest.approx(0.23 * frame.std(), rel=0.2)
    assert (corrupt(frame, "brightness", 5) == 255).mean() > (frame == 255).mean() + 0.2


def test_fog_hides_what_is_far_before_what_is_near() -> None:
    stripes = np.zeros((200, 300, 3), np.uint8)
    stripes[:, ::4] = 255
    foggy = corrupt(stripes, "fog", 3).astype(float)
    assert foggy[90:110].std() < 0.6 * foggy[-20:].std()


def test_occlusion_covers_the_share_it_states() -> None:
    white = np.full((360, 640, 3), 255, np.uint8)
    covered = [(corrupt(white, "occlusion", s) < 200).any(-1).mean() for s in SEVERITIES]
    assert covered == sorted(covered)
    assert 0.2 < covered[-1] < 0.45


def test_what_cannot_be_corrupted_is_told() -> None:
    frame = street()
    with pytest.raises(YolopError, match=r"'mud'.*fog"):
        corrupt(frame, "mud", 1)
    for severity in (0, 6, 2.5):
        with pytest.raises(YolopError, match="severity"):
            corrupt(frame, "fog", severity)  # type: ignore[arg-type]
    for image in (frame[..., 0], frame.astype(np.float32), frame[:0], np.zeros((4, 4, 4), np.uint8)):
        with pytest.raises(YolopError, match="uint8"):
            corrupt(image, "fog", 1)
    with pytest.raises(YolopError, match="too large"):
        corrupt(np.zeros((1, 40_000, 3), np.uint8), "rain", 1)
    with pytest.raises(YolopError, match="seed"):
        corrupt(frame, "fog", 1, seed=-1)
