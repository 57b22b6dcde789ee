from collections.abc import Callable
from dataclasses import fields, replace
from itertools import cycle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.data.augment import AugmentConfig, augment, mix
from yolopv2.data.packed import PackedSample
from yolopv2.errors import YolopError

OFF = AugmentConfig.off()
WEATHER = {"rain": 1.0, "fog": 1.0, "night": 1.0}
CAMERA = {"blur": 1.0, "motion_blur": 1.0, "noise": 1.0, "jpeg": 1.0, "hue": 0.5, "saturation": 1.0, "value": 1.0}
STILL_PIXELS = dict.fromkeys((*WEATHER, *CAMERA), 0.0)
GEOMETRY = AugmentConfig(**STILL_PIXELS, mixup=0.0, perspective=0.2)  # type: ignore[arg-type]
HEIGHT, WIDTH = 96, 160


def frame_of(rng: np.random.Generator, count: int = 3) -> PackedSample:
    """Red blocks on blue, far apart: boxes, pixels and maps tell the same story."""
    image = np.full((HEIGHT, WIDTH, 3), (0, 0, 255), np.uint8)
    boxes = []
    for column in range(count):
        width, height = (int(n) for n in rng.integers(12, 36, 2))
        x, y = 52 * column + int(rng.integers(0, 52 - width)), int(rng.integers(0, HEIGHT - height))
        image[y : y + height, x : x + width] = (255, 0, 0)
        boxes.append([column, x, y, x + width, y + height])
    maps = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    maps[..., 0], maps[..., 2] = image[..., 0], image[..., 2]
    return PackedSample(image, maps, np.array(boxes, np.float32))


def stream(*frames: PackedSample) -> Callable[[], PackedSample]:
    endless = cycle(frames)
    return lambda: next(endless)


def assert_same(one: PackedSample, other: PackedSample) -> None:
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.maps, other.maps)
    np.testing.assert_array_equal(one.boxes, other.boxes)


configs = st.builds(
    AugmentConfig,
    mosaic=st.sampled_from([0.0, 0.5, 1.0]),
    mixup=st.just(0.0),
    zoom=st.tuples(st.floats(0.5, 1), st.floats(1, 2)),
    translate=st.floats(0, 0.3),
    rotate=st.floats(0, 5),
    shear=st.floats(0, 4),
    perspective=st.sampled_from([0.0, 0.05]),
    flip=st.floats(0, 1),
    **{name: st.just(0.0) for name in STILL_PIXELS},
)


@settings(max_examples=150, deadline=None)
@given(configs, st.integers(0, 10**6))
def test_masks_stay_on_their_pixels(config: AugmentConfig, seed: int) -> None:
    rng = np.random.default_rng(seed)

    def draw() -> PackedSample:
        frame = frame_of(rng)
        frame.maps[..., [1, 3]] = 128  # so that it can be told from the grey around, which has 255
        return frame

    out = augment(draw, HEIGHT, WIDTH, config, rng)
    known = out.maps[..., 1] == 128
    assert known.mean() > 0.05
    for channel, colour in ((0, 0), (2, 2)):
        np.testing.assert_allclose(out.image[known][:, colour], out.maps[known][:, channel], atol=1)
        np.testing.assert_array_equal(out.image[known][:, colour] > 127, out.maps[known][:, channel] > 127)
    np.testing.assert_array_equal(out.maps[..., 1], out.maps[..., 3])


@settings(max_examples=150, deadline=None)
@given(configs, st.integers(0, 10**6))
def test_boxes_enclose_their_blocks(config: AugmentConfig, seed: int) -> None:
    rng = np.random.default_rng(seed)
    config = replace(config, mosaic=0.0)
    frame = frame_of(rng, 1)
    out = augment(stream(frame), HEIGHT, WIDTH, config, rng)
    assert out.boxes is not None
    block = out.maps[..., 0] > 127
    if not len(out.boxes):
        assert block.sum() < 0.3 * (frame.maps[..., 0] > 127).sum() * config.zoom[1] ** 2 + 30
        return
    rows, columns = np.nonzero(block)
    extent = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    np.testing.assert_allclose(out.boxes[0, 1:], extent, atol=3.0)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_boxes_stay_inside_the_canvas_and_on_their_blocks(seed: int, mosaic: bool, mixup: bool) -> None:
    rng = np.random.default_rng(seed)
    config = replace(GEOMETRY, mosaic=float(mosaic), mixup=float(mixup))
    out = augment(lambda: frame_of(rng), HEIGHT, WIDTH, config, rng)
    assert out.boxes is not None
    assert out.image.shape == (HEIGHT, WIDTH, 3)
    assert out.maps.shape == (HEIGHT, WIDTH, 4)
    assert out.boxes.dtype == np.float32
    for _, x1, y1, x2, y2 in out.boxes:
        assert 0 <= x1 < x2 <= WIDTH
        assert 0 <= y1 < y2 <= HEIGHT
        red = out.image[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2)), 0]
        assert red.mean() > (20 if mixup else 0.5 * 255)


@given(st.integers(0, 10**6))
def test_a_sample_is_unchanged_with_everything_off(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = frame_of(rng)
    assert_same(augment(stream(frame), HEIGHT, WIDTH, OFF, rng), frame)


def test_a_frame_of_another_size_is_fitted_in_the_middle_with_everything_off() -> None:
    frame = frame_of(np.random.default_rng(0))
    out = augment(stream(frame), 2 * HEIGHT, 2 * WIDTH + 20, OFF, np.random.default_rng(0))
    assert (out.image[:, [*range(9), *range(-9, 0)]] == 114).all()
    assert not out.maps[:, [*range(9), *range(-9, 0)]][..., [0, 2]].any()
    assert (out.maps[:, 11:-11, 1] == 255).mean() > 0.98
    assert out.boxes is not None
    np.testing.assert_allclose(out.boxes, frame.boxes @ np.diag([1, 2, 2, 2, 2]) + [0, 10, 0, 10, 0])
    inside = np.zeros((2 * HEIGHT, 2 * WIDTH + 20), bool)
    for _, x1, y1, x2, y2 in out.boxes.astype(int):
        inside[y1:y2, x1:x2] = True
    np.testing.assert_array_equal(out.maps[..., 0] > 127, inside)


@given(st.integers(0, 10**6))
def test_mirroring_twice_gives_the_frame_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = frame_of(rng)
    mirror = replace(OFF, flip=1.0)
    once = augment(stream(frame), HEIGHT, WIDTH, mirror, rng)
    np.testing.assert_array_equal(once.image, frame.image[:, ::-1])
    assert_same(augment(stream(once), HEIGHT, WIDTH, mirror, rng), frame)


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_a_mix_is_the_mean_of_pixels_and_maps(seed: int, weight: float) -> None:
    rng = np.random.default_rng(seed)
    one, other = frame_of(rng), frame_of(rng)
    out = mix(one, other, weight)
    for mixed, a, b in ((out.image, one.image, other.image), (out.maps, one.maps, other.maps)):
        np.testing.assert_allclose(mixed, weight * a + (1 - weight) * b.astype(float), atol=0.51)
    stronger = [one.boxes, other.boxes] if weight >= 0.5 else [other.boxes, one.boxes]
    np.testing.assert_array_equal(out.boxes, np.concatenate(stronger))  # type: ignore[arg-type]


def test_in_a_mix_a_frame_without_labels_says_nothing() -> None:
    one, other = (frame_of(np.random.default_rng(n)) for n in range(2))
    other.maps[:] = 0
    other.boxes = None
    out = mix(one, other, 0.25)
    np.testing.assert_array_equal(out.maps[..., [0, 2]], one.maps[..., [0, 2]])
    assert (out.maps[..., [1, 3]] == 64).all()
    assert out.boxes is None
    assert not mix(other, other, 0.3).maps.any()


def test_outside_the_frame_nothing_is_marked_as_far_as_the_frame_has_labels() -> None:
    rng = np.random.default_rng(0)
    frame = frame_of(rng)
    frame.maps[..., :2], frame.maps[..., 2:] = 255, 0
    out = augment(stream(frame), HEIGHT, WIDTH, replace(OFF, zoom=(0.5, 0.5)), rng)
    outside = out.maps[..., 0] == 0
    assert outside.mean() == 0.75
    assert (out.image[outside] == 114).all()
    assert (out.maps[outside] == (0, 255, 0, 0)).all()


def test_a_mosaic_has_four_frames_and_no_gaps() -> None:
    rng = np.random.default_rng(0)
    frames = [replace_colour(frame_of(rng), level) for level in (10, 20, 30, 40)]
    out = augment(stream(*frames), HEIGHT, WIDTH, replace(OFF, mosaic=1.0), rng)
    assert set(np.unique(out.image)) == {10, 20, 30, 40}
    assert [out.image[y, x, 0] for y in (0, -1) for x in (0, -1)] == [10, 20, 30, 40]


def replace_colour(frame: PackedSample, level: int) -> PackedSample:
    return PackedSample(np.full_like(frame.image, level), frame.maps, frame.boxes)


def test_a_mosaic_with_an_unlabelled_frame_has_no_box_labels() -> None:
    rng = np.random.default_rng(0)
    frames = [frame_of(rng) for _ in range(4)]
    frames[2].boxes = None
    assert augment(stream(*frames), HEIGHT, WIDTH, replace(OFF, mosaic=1.0), rng).boxes is None


@pytest.mark.parametrize("name", [*WEATHER, *CAMERA])
def test_weather_and_camera_change_pixels_alone(name: str) -> None:
    rng = np.random.default_rng(3)
    frame = frame_of(rng)
    frame.image = np.clip(frame.image.astype(int) // 2 + rng.integers(60, 120, frame.image.shape), 0, 255).astype(
        np.uint8
    )
    out = augment(stream(frame), HEIGHT, WIDTH, replace(OFF, **{name: 0.9999}), rng)
    assert (out.image != frame.image).mean() > 0.1
    np.testing.assert_array_equal(out.maps, frame.maps)
    np.testing.assert_array_equal(out.boxes, frame.boxes)


def test_same_seed_same_sample() -> None:
    frames = [frame_of(np.random.default_rng(n)) for n in range(8)]
    everything = replace(AugmentConfig(mosaic=1, mixup=1), **WEATHER, **CAMERA)  # type: ignore[arg-type]
    a, b = (augment(stream(*frames), HEIGHT, WIDTH, everything, np.random.default_rng(7)) for _ in range(2))
    assert_same(a, b)
    other = augment(stream(*frames), HEIGHT, WIDTH, everything, np.random.default_rng(8))
    assert (a.image != other.image).any()


@pytest.mark.parametrize("mosaic", [0, 1])
def test_frames_are_read_only(mosaic: int) -> None:
    frame = frame_of(np.random.default_rng(1))
    for array in (frame.image, frame.maps, frame.boxes):
        array.flags.writeable = False  # type: ignore[union-attr]
    everything = replace(AugmentConfig(mosaic=mosaic, mixup=1), **WEATHER, **CAMERA)  # type: ignore[arg-type]
    out = augment(stream(frame), HEIGHT, WIDTH, everything, np.random.default_rng(3))
    plain = augment(stream(frame), HEIGHT, WIDTH, OFF, np.random.default_rng(3))
    for sample in (out, plain):  # a sample is the caller's own
        sample.image[:] = sample.maps[:] = 0


@pytest.mark.parametrize("field", [f.name for f in fields(AugmentConfig) if f.name != "zoom"])
@pytest.mark.parametrize("value", [-0.1, 181, float("nan"), "much", None, True])
def test_values_out_of_range_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(YolopError, match=rf"augmentation: {field} is "):
        AugmentConfig(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("zoom", [1.0, (1,), (2, 1), (0, 1), (1, 20), (float("nan"), 1), "12", None, (0.5, "1")])
def test_zooms_that_cannot_be_are_refused(zoom: object) -> None:
    with pytest.raises(YolopError, match="augmentation: zoom is "):
        AugmentConfig(zoom=zoom)  # type: ignore[arg-type]


def test_a_zoom_may_be_a_list_as_in_a_file() -> None:
    assert AugmentConfig(zoom=[0.5, 2]) == AugmentConfig(zoom=(0.5, 2))  # type: ignore[arg-type]


def test_every_field_has_a_sentence() -> None:
    text = AugmentConfig.__doc__ or ""
    assert all(f"        {field.name}: " in text for field in fields(AugmentConfig))
