"""Generated scenes: their labels are consistent with one another and with the picture."""

import numpy as np
import pytest

from yolopv2.data.synthetic import TIMES_OF_DAY, WEATHERS, Drive, render_scene
from yolopv2.errors import YolopError

HEIGHT, WIDTH = 192, 320


@pytest.fixture(scope="module")
def scenes():
    return [render_scene(seed, HEIGHT, WIDTH) for seed in range(24)]


def test_boxes_are_tight_around_the_masks(scenes):
    for scene in scenes:
        assert scene.boxes.dtype == np.float32
        assert scene.masks.shape == (len(scene.boxes), HEIGHT, WIDTH)
        for box, mask in zip(scene.boxes, scene.masks, strict=True):
            rows, columns = np.nonzero(mask)
            assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_masks_are_disjoint_and_drivable_area_and_lanes_exclude_vehicles(scenes):
    for scene in scenes:
        counts = scene.masks.sum(axis=0)
        assert counts.max(initial=0) <= 1
        assert not scene.drivable[counts > 0].any()
        assert not scene.lanes[counts > 0].any()


@pytest.mark.parametrize(("height", "width"), [(64, 64), (101, 257), (480, 270), (720, 1280)])
def test_any_size(height, width):
    scene = render_scene(5, height, width)
    assert scene.image.shape == (height, width, 3)
    assert scene.drivable.shape == scene.lanes.shape == (height, width)


def test_a_seed_gives_one_scene_and_seeds_vary():
    first, again, other = (render_scene(seed, 96, 160) for seed in (7, 7, 8))
    for name in ("image", "boxes", "drivable", "lanes", "masks"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert (first.image != other.image).mean() > 0.5


@pytest.mark.parametrize("weather", WEATHERS)
@pytest.mark.parametrize("time_of_day", TIMES_OF_DAY)
def test_conditions_can_be_chosen(weather, time_of_day):
    drive = Drive(2, height=96, width=160, weather=weather, time_of_day=time_of_day)
    assert (drive.conditions.weather, drive.conditions.time) == (weather, time_of_day)
    assert drive.frame(0).image.std() > 3


def test_unknown_conditions_are_named():
    with pytest.raises(YolopError, match="hail"):
        render_scene(0, weather="hail")
