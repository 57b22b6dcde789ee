import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.errors import YolopError
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.postprocess import Thresholds, to_scene
from yolopv2.media import Frame

LETTERBOX = Letterbox.fit(360, 640, size=320)
FRAME = Frame(np.zeros((360, 640, 3), np.uint8), "street.jpg", index=4, time=0.5)
NAMES = {0: "car", 1: "bus"}


def scene_of(boxes, scores, **thresholds):
    """The scene of boxes given in frame pixels."""
    canvas_boxes = LETTERBOX.boxes_to_canvas(np.array(boxes, float).reshape(-1, 4))
    candidates = Candidates(canvas_boxes[None], np.array(scores, np.float32).reshape(1, -1, 2), None, None)
    return to_scene(candidates, 0, LETTERBOX, Thresholds(**thresholds), NAMES, FRAME)


@settings(deadline=None)
@given(st.integers(0, 500), st.integers(0, 300), st.integers(10, 139), st.integers(10, 59))
def test_a_box_comes_back_to_where_it_was_in_the_frame(x, y, width, height):
    vehicles = scene_of([[x, y, x + width, y + height]], [[0.2, 0.8]]).vehicles
    np.testing.assert_allclose(vehicles.xyxy, [[x, y, x + width, y + height]], atol=1e-3)
    assert vehicles.class_id.tolist() == [1]
    assert vehicles.confidence[0] == pytest.approx(0.8)


def test_scene_carries_the_frame():
    scene = scene_of([], [])
    assert (scene.source, scene.index, scene.time, scene.height, scene.width) == ("street.jpg", 4, 0.5, 360, 640)
    assert scene.image is FRAME.image
    assert scene.names == NAMES
    assert scene.drivable is None
    assert scene.lanes is None
    assert len(scene.vehicles) == 0


def test_conf_is_the_least_confidence_and_the_best_comes_first():
    boxes = [[0, 0, 20, 20], [100, 0, 120, 20], [200, 0, 220, 20]]
    vehicles = scene_of(boxes, [[0.3, 0], [0.29, 0], [0.9, 0]], conf=np.float32(0.3)).vehicles
    np.testing.assert_allclose(vehicles.confidence, [0.9, 0.3])


def test_classes_and_max_det_choose():
    boxes = [[100 * i, 0, 100 * i + 20, 20] for i in range(4)]
    scores = [[0.9, 0], [0, 0.8], [0, 0.7], [0.6, 0]]
    assert scene_of(boxes, scores, classes=(1,)).vehicles.class_id.tolist() == [1, 1]
    assert len(scene_of(boxes, scores, classes=()).vehicles) == 0
    np.testing.assert_allclose(scene_of(boxes, scores, max_det=3).vehicles.confidence, [0.9, 0.8, 0.7])


def test_suppression_within_classes_or_across():
    boxes, scores = [[0, 0, 100, 100], [2, 0, 102, 100], [4, 0, 104, 100]], [[0.9, 0], [0, 0.8], [0.7, 0]]
    assert scene_of(boxes, scores).vehicles.class_id.tolist() == [0, 1]
    assert scene_of(boxes, scores, agnostic=True).vehicles.class_id.tolist() == [0]
    assert len(scene_of(boxes, scores, iou=1.0).vehicles) == 3


def test_boxes_are_clipped_and_those_in_the_padding_do_not_count():
    frame = Frame(np.zeros((100, 300, 3), np.uint8), "wide")
    letterbox = Letterbox.fit(100, 300, size=320)
    assert letterbox.top > 0
    boxes = np.array([[[0, 0, 320, letterbox.top - 1], [10, 0, 330, 60], [40, 40, 30, 30]]], np.float32)
    candidates = Candidates(boxes, np.array([[[0.9], [0.8], [0.7]]], np.float32), None, None)
    vehicles = to_scene(candidates, 0, letterbox, Thresholds(max_det=1), {0: "car"}, frame).vehicles
    assert vehicles.confidence.tolist() == [np.float32(0.8)]
    assert vehicles.xyxy[0, 1] == 0
    assert vehicles.xyxy[0, 2] == 300


def test_numbers_that_are_none_are_nobody():
    scene = scene_of([[0, 0, 50, 50], [np.nan, 0, 50, 50], [0, 0, np.inf, 50]], [[np.nan, 0], [0.9, 0], [0.8, 0]])
    assert np.isfinite(scene.vehicles.xyxy).all()
    assert np.isfinite(scene.vehicles.confidence).all()


def test_masks_come_back_to_the_frame():
    drivable = np.full((1, LETTERBOX.canvas_height, LETTERBOX.canvas_width), 255, np.uint8)
    drivable[0, :, : LETTERBOX.canvas_width // 2] = 0
    candidates = Candidates(np.zeros((1, 0, 4), np.float32), np.zeros((1, 0, 1), np.float32), drivable, 255 - drivable)
    scene = to_scene(candidates, 0, LETTERBOX, Thresholds(), {0: "car"}, FRAME)
    assert scene.drivable.shape == scene.lanes.shape == (360, 640)
    assert not scene.drivable[:, :319].any()
    assert scene.drivable[:, 321:].all()
    assert not (scene.drivable & scene.lanes).any()


def test_ten_thousand_candidates_are_quick_to_judge():
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 300, (10_000, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(5, 60, (10_000, 2))], 1)
    vehicles = scene_of(boxes, rng.uniform(0.31, 1, (10_000, 2))).vehicles
    assert 0 < len(vehicles) <= 300


@pytest.mark.parametrize(
    "wrong",
    [{"conf": 1.5}, {"conf": "high"}, {"conf": float("nan")}, {"iou": -0.1}, {"conf": True}, {"max_det": 0},
     {"max_det": 2.5}],
)  # fmt: skip
def test_wrong_thresholds_are_named(wrong):
    with pytest.raises(YolopError, match=next(iter(wrong))):
        Thresholds(**wrong)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_masks_lie_above_their_own_thresholds(threshold):
    rng = np.random.default_rng(2)
    maps = rng.integers(0, 256, (2, 1, LETTERBOX.canvas_height, LETTERBOX.canvas_width), np.uint8)
    candidates = Candidates(np.zeros((1, 0, 4), np.float32), np.zeros((1, 0, 2), np.float32), maps[0], maps[1])
    scene = to_scene(candidates, 0, LETTERBOX, Thresholds(drivable_conf=threshold), NAMES, FRAME)
    np.testing.assert_array_equal(scene.drivable, LETTERBOX.mask_to_frame(maps[0, 0], threshold))
    np.testing.assert_array_equal(scene.lanes, LETTERBOX.mask_to_frame(maps[1, 0]))
    scene = to_scene(candidates, 0, LETTERBOX, Thresholds(lane_conf=threshold), NAMES, FRAME)
    np.testing.assert_array_equal(scene.lanes, LETTERBOX.mask_to_frame(maps[1, 0], threshold))


@pytest.mark.parametrize("name", ["drivable_conf", "lane_conf"])
def test_thresholds_of_masks_out_of_range_are_refused(name):
    for value in (-0.1, 1.1, "half", True, float("nan")):
        with pytest.raises(YolopError, match=name):
            Thresholds(**{name: value})
