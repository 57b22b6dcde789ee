import json

import numpy as np
import pytest

from yolopv2.scene import Scene, Vehicles


def test_lane_lines_and_polygons_come_from_the_masks(street):
    scene = street()
    (line,) = scene.lane_lines
    np.testing.assert_allclose(line[:, 0], 160, atol=1)
    (polygon,) = scene.drivable_polygons
    assert polygon.min(axis=0).tolist() == [0.5, 90.5]
    assert polygon.max(axis=0).tolist() == [319.5, 179.5]
    assert scene.lane_lines is scene.lane_lines


def test_absent_heads_give_no_lines_and_no_polygons():
    scene = Scene(Vehicles.empty(), None, None, {}, 10, 20)
    assert scene.lane_lines == scene.drivable_polygons == []


@pytest.mark.parametrize("field", ["drivable", "lanes", "image"])
def test_fields_of_another_size_are_refused(field):
    fields = {"drivable": None, "lanes": None, field: np.zeros((20, 10), bool)}
    with pytest.raises(ValueError, match=field):
        Scene(Vehicles.empty(), names={}, height=10, width=20, **fields)


def test_repr_is_one_line_without_the_pixels(street):
    assert "\n" not in repr(street())
    half = np.arange(200).reshape(10, 20) < 100
    scene = Scene(Vehicles.empty(), half, None, {}, 10, 20, source="drive.mp4", index=3, time=0.1)
    assert repr(scene) == "<Scene drive.mp4 3, 20x10: 0 vehicles, drivable 50.0 %>"


def test_json_is_one_line_that_gives_the_scene_back(street):
    scene = street(with_masks=True, source="Straße\n1.jpg")
    line = scene.to_json()
    assert "\n" not in line
    assert Scene.from_dict(json.loads(line)).source == "Straße\n1.jpg"
