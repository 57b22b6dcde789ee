"""Generated scenes: their labels agree with one another, with the picture and with the geometry."""

import numpy as np
import pytest

from yolopv2.data.synthetic import CLASS_NAMES, TIMES_OF_DAY, WEATHERS, Drive, render_scene
from yolopv2.errors import YolopError
from yolopv2.geometry.boxes import iou_matrix

HEIGHT, WIDTH = 192, 320


@pytest.fixture(scope="module")
def scenes():
    return [render_scene(seed, HEIGHT, WIDTH) for seed in range(12)]


def test_every_label_is_there_and_of_its_type(scenes):
    for scene in scenes:
        assert (scene.image.dtype, scene.image.shape) == (np.uint8, (HEIGHT, WIDTH, 3))
        assert (scene.boxes.dtype, scene.class_ids.dtype) == (np.float32, np.int64)
        assert scene.masks.dtype == bool
        assert scene.masks.shape == (len(scene.boxes), HEIGHT, WIDTH)
        assert set(np.unique(scene.class_ids)) <= set(CLASS_NAMES)
        for plane in (scene.drivable, scene.lanes):
            assert (plane.dtype, plane.shape) == (np.uint8, (HEIGHT, WIDTH))
            assert set(np.unique(plane)) <= {0, 1}
    assert sum(len(scene.boxes) for scene in scenes) > 30
    assert sum(scene.drivable.any() and scene.lanes.any() for scene in scenes) == len(scenes)


def test_boxes_are_tight_around_the_masks(scenes):
    for scene in scenes:
        for box, mask in zip(scene.boxes, scene.masks, strict=True):
            rows, columns = np.nonzero(mask)
            assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


def test_masks_are_disjoint_and_drivable_area_and_lanes_exclude_vehicles(scenes):
    for scene in scenes:
        vehicles = scene.masks.sum(axis=0)
        assert vehicles.max(initial=0) <= 1
        assert not scene.drivable[vehicles > 0].any()
        assert not scene.lanes[vehicles > 0].any()


@pytest.mark.parametrize("seed", [3, 11, 16, 27, 59])
def test_labels_lie_where_the_road_projects(seed):
    """The labels come from inverse perspective; here the road is projected forward."""
    drive = Drive(seed, height=360, width=640)
    camera, stretch = drive._look(0.0, drive.traffic.ego_s(0.0))
    sample = drive.frame(0)
    layout, s = drive.layout, np.linspace(6, 30, 60)
    standing = sample.masks.any(axis=0)

    def share(plane, t):
        pixels = np.rint(camera.project(stretch.to_ego(s, t))).astype(int)
        seen = [(x, y) for x, y in pixels.tolist() if 0 <= x < 640 and 0 <= y < 300 and not standing[y, x]]
        return np.mean([plane[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].any() for x, y in seen]) if seen else 1.0

    roads_cross = layout.crossing_every is not None
    assert share(sample.drivable, layout.lanes[layout.ego].t) > 0.9
    for t in (layout.drivable[0] - 1.5, layout.drivable[1] + 1.5):
        assert share(sample.drivable, t) < 0.1 or share(sample.drivable, t) == 1.0 == share(standing, t)
    for marking in layout.markings:
        beside_ego = abs(marking.t - layout.lanes[layout.ego].t) < 2.2
        if beside_ego and not roads_cross:
            assert share(sample.lanes, marking.t) > 0.85


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


def test_night_is_darker_than_day():
    day, night = (render_scene(4, 96, 160, "clear", time).image.mean() for time in ("day", "night"))
    assert night < 0.6 * day


@pytest.mark.parametrize(
    ("arguments", "named"),
    [({"weather": "hail"}, "hail"), ({"time_of_day": "noon"}, "noon"), ({"height": 10}, "10"), ({"seed": -1}, "-1")],
)
def test_what_cannot_be_is_named(arguments, named):
    with pytest.raises(YolopError, match=named):
        render_scene(**{"seed": 0, **arguments})


@pytest.mark.parametrize("seed", [27, 100, 20])
def test_a_drive_is_coherent(seed):
    before, after = Drive(seed, fps=30, height=360, width=640).frames(2)
    assert np.abs(before.image.astype(int) - after.image).mean() < 20
    width, height = before.boxes[:, 2] - before.boxes[:, 0], before.boxes[:, 3] - before.boxes[:, 1]
    inside = (before.boxes[:, 0] > 8) & (before.boxes[:, 2] < 632) & (np.minimum(width, height) > 16)
    assert inside.any()
    overlap = iou_matrix(before.boxes, after.boxes).max(axis=1)
    assert (overlap[inside] > 0.5).mean() > 0.9
    assert (before.drivable != after.drivable).mean() < 0.05


def test_a_drive_moves_and_any_frame_can_be_asked_for():
    drive = Drive(27, fps=10, height=96, width=160)
    frames = list(drive.frames(4))
    assert (frames[0].image != frames[3].image).mean() > 0.3
    np.testing.assert_array_equal(drive.frame(3).image, frames[3].image)
    np.testing.assert_array_equal(Drive(27, fps=10, height=96, width=160).frame(3).masks, frames[3].masks)
