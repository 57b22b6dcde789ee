import numpy as np

from yolopv2.data.sample import Sample
from yolopv2.evaluation.dataset import score_scenes
from yolopv2.scene import Scene, Vehicles

FRAME = np.zeros((40, 60, 3), np.uint8)


def scene(boxes: list[list[float]], classes: list[int], road: np.ndarray | None = None) -> Scene:
    vehicles = Vehicles(
        np.array(boxes, np.float32).reshape(-1, 4), np.full(len(boxes), 0.5, np.float32), np.array(classes, np.int64)
    )
    return Scene(vehicles, road, None, {0: "car", 1: "bus"}, 40, 60)


def sample(boxes: list[list[float]], classes: list[int], road: np.ndarray | None = None) -> Sample:
    return Sample(FRAME, np.array(boxes, np.float32).reshape(-1, 4), np.array(classes, np.int64), drivable=road)


def test_classes_do_not_answer_for_each_other() -> None:
    box = [[0, 0, 10, 10]]
    assert score_scenes([(scene(box, [1]), sample(box, [0]))])["ap50"] == 0
    both = [(scene(box, [0]), sample(box, [0])), (scene([], []), sample(box, [1]))]
    assert score_scenes(both)["ap50"] == 0.5


def test_a_missing_label_takes_no_part() -> None:
    road = np.ones((40, 60), bool)
    pairs = [(scene([], [], road), Sample(FRAME)), (scene([], [], road), sample([], [], road.astype(np.uint8)))]
    scores = score_scenes(pairs)
    assert scores["drivable_iou"] == 1
    assert scores["frames"] == 2
    assert "lane_iou" not in scores
    assert "ap50" not in scores  # nothing to find is no score


def test_false_alarms_of_an_early_frame_count() -> None:
    box = [[0, 0, 10, 10]]
    pairs = [(scene([[20, 20, 30, 30]], [0]), sample([], [])), (scene(box, [0]), sample(box, [0]))]
    assert score_scenes(pairs)["ap50"] < 1
