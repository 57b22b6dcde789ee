"""Instance maps on their way from sample to batch: numbers, boxes and pixels tell the same story throughout."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.data.augment import AugmentConfig, augment, mix
from yolopv2.data.classes import Classes
from yolopv2.data.formats import Packed
from yolopv2.data.packed import PackedSample, instance_map, pack_sample, unpack_sample, write_packed
from yolopv2.data.sample import Sample

HEIGHT, WIDTH = 96, 160

configs = st.builds(
    lambda **changes: replace(AugmentConfig.off(), **changes),
    mosaic=st.sampled_from([0.0, 1.0]),
    zoom=st.tuples(st.floats(0.5, 1), st.floats(1, 2)),
    translate=st.floats(0, 0.3),
    rotate=st.floats(0, 5),
    perspective=st.sampled_from([0.0, 0.05]),
    flip=st.floats(0, 1),
)


def painted(rng: np.random.Generator, with_masks: bool = True) -> PackedSample:
    """Blocks whose green says their class; the upper left of each block is no part of its mask, and blue."""
    image = np.full((HEIGHT, WIDTH, 3), (0, 0, 255), np.uint8)
    numbers, boxes = np.zeros((HEIGHT, WIDTH), np.uint16), np.zeros((3, 5), np.float32)
    for row, class_id in enumerate(rng.permutation(3)):
        width, height = (int(n) for n in rng.integers(12, 36, 2))
        x, y = 52 * row + int(rng.integers(0, 52 - width)), int(rng.integers(0, HEIGHT - height))
        block = np.s_[y : y + height, x : x + width]
        image[block], numbers[block] = (255, 80 * (class_id + 1), 0), row + 1
        corner = np.s_[y : y + height // 2, x : x + width // 2]
        image[corner], numbers[corner] = (0, 0, 255), 0
        boxes[row] = class_id, x, y, x + width, y + height
    maps = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    return PackedSample(image, maps, boxes, numbers if with_masks else None)


def assert_one_story(frame: PackedSample) -> None:
    assert frame.instances is not None
    assert frame.boxes is not None
    assert frame.instances.max(initial=0) <= len(frame.boxes)
    for row, (class_id, x1, y1, x2, y2) in enumerate(frame.boxes):
        rows, columns = np.nonzero(frame.instances == row + 1)
        if not len(rows):
            continue
        assert x1 - 1.5 <= columns.min() <= columns.max() <= x2 + 0.5
        assert y1 - 1.5 <= rows.min() <= rows.max() <= y2 + 0.5
        pixels = frame.image[rows, columns].astype(int)
        assert (pixels[:, 0] > 0).all()  # not one of the blue ones
        whole = pixels[(pixels[:, 0] == 255) & (pixels[:, 2] == 0)]
        assert (abs(whole[:, 1] - 80 * (class_id + 1)) <= 1).all()


@settings(max_examples=60, deadline=None)
@given(configs, st.integers(0, 10**6))
def test_numbers_stay_on_their_pixels_and_their_boxes(config: AugmentConfig, seed: int) -> None:
    rng = np.random.default_rng(seed)
    out = augment(lambda: painted(rng), HEIGHT, WIDTH, config, rng)
    assert_one_story(out)
    block = (out.image[..., 0] == 255) & (out.image[..., 2] == 0)
    if config.mosaic == 0 and len(out.boxes) == 3:  # type: ignore[arg-type]
        assert (out.instances[block] > 0).mean() > 0.95  # type: ignore[index]


@settings(deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1), st.booleans(), st.booleans())
def test_in_a_mix_the_stronger_frame_keeps_its_masks(seed: int, weight: float, first: bool, second: bool) -> None:
    rng = np.random.default_rng(seed)
    one, other = painted(rng, first), painted(rng, second)
    out = mix(one, other, weight)
    stronger = one if weight >= 0.5 else other
    assert out.boxes is not None
    np.testing.assert_array_equal(out.boxes[:3], stronger.boxes)
    if stronger.instances is None:
        assert out.instances is None
    else:
        np.testing.assert_array_equal(out.instances, stronger.instances)


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (64, 96), (192, 352)])
def test_packing_keeps_masks_with_their_boxes(size: tuple[int, int], tmp_path: Path) -> None:
    samples = []
    for seed in range(3):
        frame = painted(np.random.default_rng(seed))
        samples.append(unpack_sample(frame))
        assert samples[-1].masks is not None
        np.testing.assert_array_equal(instance_map(samples[-1].masks), frame.instances)
    samples[1].masks = None
    packed = [pack_sample(sample, *size) for sample in samples]
    assert packed[1].instances is None
    for frame in (packed[0], packed[2]):
        assert frame.instances.shape == size  # type: ignore[union-attr]
        for row, (_, x1, y1, x2, y2) in enumerate(frame.boxes):  # type: ignore[arg-type]
            rows, columns = np.nonzero(frame.instances == row + 1)
            assert len(rows) > 0.6 * (x2 - x1) * (y2 - y1)
            extent = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            np.testing.assert_allclose(extent, (x1, y1, x2, y2), atol=1)
    write_packed(tmp_path / "val", packed, len(packed))
    for frame, back in zip(packed, Packed(tmp_path, "val", Classes.of(["a", "b", "c"])), strict=True):
        assert (back.masks is None) == (frame.instances is None)
        if back.masks is not None:
            np.testing.assert_array_equal(instance_map(back.masks), frame.instances)


def test_the_smaller_lies_over_the_larger() -> None:
    masks = np.zeros((2, 6, 6), bool)
    masks[0, 1:3, 1:3], masks[1, 0:5, 0:5] = True, True
    numbers = instance_map(masks)
    assert [(numbers == number).sum() for number in (1, 2)] == [4, 21]
    assert Sample(np.zeros((6, 6, 3), np.uint8)).masks is None
