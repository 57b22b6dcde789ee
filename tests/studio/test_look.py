import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from yolopv2 import YOLOPv2
from yolopv2.data.synthetic import render_scene
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.geometry.masks import rle_decode
from yolopv2.inference import Thresholds
from yolopv2.inference.candidates import Candidates
from yolopv2.media import Frame
from yolopv2.scene import Vehicles
from yolopv2.studio.look import LEAST_CONF, MOST_CANDIDATES, Look

LETTERBOX = Letterbox.fit(180, 320, size=64)
FRAME = Frame(np.zeros((180, 320, 3), np.uint8), "street.png", index=3, time=0.1)


def random_candidates(seed: int, anchors: int, classes: int = 2) -> Candidates:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 50, (1, anchors, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(4, 16, (1, anchors, 2))], axis=-1).astype(np.float32)
    maps = rng.integers(0, 256, (2, 1, LETTERBOX.canvas_height, LETTERBOX.canvas_width), dtype=np.uint8)
    return Candidates(boxes, rng.random((1, anchors, classes), np.float32) ** 2, maps[0], maps[1])


def look_of(candidates: Candidates) -> Look:
    return Look.of((candidates, 0, LETTERBOX), FRAME, {0: "car", 1: "bus"}, 12.345)


@pytest.mark.parametrize(
    "thresholds", [Thresholds(), Thresholds(0.05, 0.9), Thresholds(0.6, 0.1, None, 300, True, 0.2, 0.9)]
)
@pytest.mark.parametrize("seed", range(4))
def test_a_look_decides_as_the_library_does(seed, thresholds):
    from yolopv2.inference.postprocess import to_scene

    candidates = random_candidates(seed, 300)
    expected = to_scene(candidates, 0, LETTERBOX, thresholds, {0: "car", 1: "bus"}, FRAME)
    assert look_of(candidates).decide(thresholds, FRAME).to_dict() == expected.to_dict()


def test_a_look_at_a_picture_decides_as_the_model_does():
    model = YOLOPv2("nano", size=320)
    frame = Frame(render_scene(119, height=180, width=320).image, "street.png")
    (looked,) = model.predictor.look([frame.image])
    look = Look.of(looked, frame, model.names, 1.0)
    for options in ({}, {"conf": 0.1, "iou": 0.2}, {"conf": 0.6, "drivable_conf": 0.8, "lane_conf": 0.2}):
        scene = look.decide(model.thresholds(**options), frame)
        expected = model(frame.image, **options).to_dict()
        assert scene.to_dict() == {**expected, "source": "street.png"}


def test_candidates_are_bounded_and_sorted_and_survive_json():
    look = look_of(random_candidates(1, 3000))
    rows = json.loads(json.dumps(look.to_json()))["candidates"]
    assert len(rows) == MOST_CANDIDATES
    confidence = np.array([row[4] for row in rows], np.float32)
    assert (np.diff(confidence) <= 0).all()
    assert confidence.min() >= LEAST_CONF
    np.testing.assert_array_equal(np.array([row[:4] for row in rows], np.float32), look.vehicles.xyxy)


def test_maps_lose_their_padding_and_nothing_else():
    candidates = random_candidates(2, 4)
    look = look_of(candidates)
    assert (LETTERBOX.top, look.letterbox.top) == (14, 0)
    pixels = cv2.imdecode(np.frombuffer(look.lanes, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(pixels, candidates.lanes[0, 14:50])
    assert sum(look.to_curves()["lanes"]) == pixels.size


def test_instance_masks_stay_with_their_vehicles():
    boxes = np.array([[0, 0, 40, 40], [1, 0, 41, 40], [100, 0, 140, 40]], np.float32)
    masks = np.zeros((3, 180, 320), bool)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int), strict=True):
        mask[y1:y2, x1:x2] = True
    vehicles = Vehicles(boxes, np.array([0.9, 0.8, 0.7], np.float32), np.zeros(3, np.int64), masks)
    look = replace(look_of(random_candidates(1, 1)), vehicles=vehicles)
    seen = look.decide(Thresholds(), FRAME).vehicles
    np.testing.assert_array_equal(seen.masks, masks[[0, 2]])
    np.testing.assert_array_equal(rle_decode(look.to_json()["masks"][1]), masks[1])
    assert look.decide(Thresholds(conf=0.95), FRAME).vehicles.masks.shape == (0, 180, 320)
