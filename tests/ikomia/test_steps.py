"""What filter and write do with a scene that is known."""

import numpy as np
import pytest

from yolopv2.errors import YolopError
from yolopv2.ikomia.outputs import DetectionIO, ImageIO
from yolopv2.ikomia.registry import create_task
from yolopv2.media import Frame
from yolopv2.scene import Scene, Vehicles

BOXES = [[0, 0, 10, 10], [50, 0, 90, 40], [10, 50, 20, 80]]


def kept(**params):
    """Rows of the three vehicles that a filter keeps."""
    vehicles = Vehicles(BOXES, [0.9, 0.5, 0.2], [0, 1, 0], track_id=[0, 1, 2])
    scene = Scene(vehicles, None, None, {0: "car", 1: "truck"}, 90, 100)
    task = create_task("filter")
    task.set_parameters(params)
    task.set_input(DetectionIO(scene), 1)
    task.run()
    return [found["id"] for found in task.get_output(1).get_objects()]


@pytest.mark.parametrize(
    ("params", "rows"),
    [
        ({}, [0, 1, 2]),
        ({"confidence": "0.5"}, [0, 1]),
        ({"categories": "truck"}, [1]),
        ({"categories": " truck , car"}, [0, 1, 2]),
        ({"min_area": "300"}, [1, 2]),
        ({"max_area": 300}, [0, 2]),
        ({"region": "0,0,100,45"}, [0, 1]),
        ({"region": "0,0,40,0,0,90"}, [0]),
        ({"region": "0,0,100,45", "categories": "car"}, [0]),
        ({"confidence": "1"}, []),
    ],
)
def test_a_vehicle_is_kept_that_meets_everything(params, rows):
    assert kept(**params) == rows


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"categories": "cra"}, "no category 'cra'.*'car'"),
        ({"region": "1,2,3"}, "3 numbers are neither"),
        ({"region": "a,b,c,d"}, "numbers with commas"),
        ({"region": "1,2,3,4,5"}, "5 numbers are neither"),
        ({"min_area": "-1"}, "greater than or equal to 0"),
        ({"max_area": "inf"}, "finite"),
    ],
)
def test_what_cannot_be_filtered_by_is_named(params, message):
    with pytest.raises(YolopError, match=message):
        kept(**params)


def test_formats_that_do_not_exist_are_named_before_anything_is_written(folder):
    task = create_task("write")
    task.set_parameters({"save": "jsn", "folder": "out"})
    with pytest.raises(YolopError, match="perhaps 'json' is meant"):
        task.begin([])
    assert not (folder / "out").exists()


def test_an_input_takes_its_kind_only():
    task = create_task("filter")
    with pytest.raises(YolopError, match="takes OBJECT_DETECTION, not IMAGE"):
        task.set_input(ImageIO(Frame(np.zeros((4, 4, 3), np.uint8), "")), 1)
    with pytest.raises(YolopError, match="no input 4"):
        task.set_input(None, 4)
    with pytest.raises(YolopError, match="got nothing: connect it"):
        task.run()
