"""Where masks are compared, and how labels get there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from yolopv2.evaluation.frame import Scorer, compare_at, touched_pixels, widen
from yolopv2.evaluation.protocols import protocol
from yolopv2.geometry.letterbox import Letterbox

HALF = Letterbox.fit(72, 128, 64)  # on a canvas of 64x64, 64x36 at row 14


@given(arrays.arrays(np.uint8, (6, 8), elements=st.sampled_from([0, 0, 0, 1, 255])))
def test_a_pixel_is_marked_when_any_part_of_it_was(label: np.ndarray) -> None:
    blocks = label.reshape(3, 2, 4, 2).transpose(0, 2, 1, 3).reshape(3, 4, 4)
    expected = [[1 if 1 in block else 255 if 255 in block else 0 for block in row] for row in blocks.tolist()]
    assert touched_pixels(label, 3, 4).tolist() == expected


def test_letterbox_geometry_crops_the_padding_of_the_canvas() -> None:
    probability, label = np.zeros((64, 64), np.uint8), np.zeros((72, 128), np.uint8)
    probability[:14], probability[14, 0], probability[49, 63] = 255, 128, 127
    label[0, 0] = label[71, 126] = 1
    predicted, at_canvas = compare_at(protocol("yolop"), HALF, probability, label, 0.5)
    assert predicted.shape == at_canvas.shape == (36, 64)
    assert np.argwhere(predicted).tolist() == [[0, 0]]
    assert np.argwhere(at_canvas).tolist() == [[0, 0], [35, 63]]


def test_canvas_geometry_keeps_the_padding_as_background() -> None:
    probability, label = np.full((64, 64), 255, np.uint8), np.ones((72, 128), np.uint8)
    predicted, at_canvas = compare_at(protocol("hybridnets"), HALF, probability, label, 0.5)
    assert predicted.all()
    assert at_canvas.sum() == 36 * 64
    assert at_canvas[14:50].all()


def test_frame_geometry_takes_the_labels_as_they_are() -> None:
    label = np.zeros((72, 128), np.uint8)
    predicted, same = compare_at(protocol("dataset"), HALF, np.full((64, 64), 255, np.uint8), label, 0.5)
    assert predicted.shape == (72, 128)
    assert same is label


def test_stretch_geometry_fills_a_square_and_has_thresholds_of_its_own() -> None:
    rules = protocol("rmt-ppad-8px")
    square = Letterbox.stretch(72, 128, 64)
    probability = np.array([[115, 114]], np.uint8).repeat(32, axis=1).repeat(64, axis=0)
    predicted, label = compare_at(rules, square, probability, np.ones((72, 128), np.uint8), rules.drivable_threshold)
    assert label.all()
    assert label.shape == (64, 64)
    assert predicted[:, :32].all()
    assert not predicted[:, 32:].any()


@pytest.mark.parametrize(("drawn", "wanted"), [(2, 8), (5, 8), (2, 2), (8, 2)])
def test_markings_are_widened_to_the_width_that_is_wanted(drawn: int, wanted: int) -> None:
    label = np.zeros((40, 40), np.uint8)
    label[:, 15 : 15 + drawn] = 1
    label[0, 0] = 255
    wide = widen(label, wanted - drawn)
    assert (wide[20] == 1).sum() == max(drawn, wanted)
    assert wide[0, 0] == 255


def test_classes_go_by_their_names() -> None:
    scorer = Scorer(protocol("dataset"), {0: "bus", 1: "car", 2: "dog"}, {0: "car", 5: "bus", 6: "tram"})
    assert scorer.class_ids == {0: 5, 1: 0}


def test_what_a_detection_of_an_unlabelled_class_says_does_not_count(painted, street) -> None:
    predictor = painted(names={0: "dog", 1: "vehicle"})
    sample = street(0)
    record = Scorer(protocol("dataset"), predictor.runtime.names, {0: "vehicle"})(
        0, sample, predictor.look([sample.image])[0]
    )
    assert len(record.boxes.confidence) == 0
    assert record.boxes.labels[0][0] == 2


def test_the_masks_of_one_of_three_do_not_overlap(painted, street) -> None:
    predictor, sample = painted(), street(3)
    record = Scorer(protocol("hybridnets"), {0: "vehicle"}, {0: "vehicle"})(
        0, sample, predictor.look([sample.image])[0]
    )
    counts = [record.drivable, record.lanes, record.background]
    known = record.lanes.pixels
    assert sum(each.tp + each.fp for each in counts) == known  # every known pixel is predicted once
    assert sum(each.tp + each.fn for each in counts) == known  # and labelled once


@pytest.mark.parametrize(("missing", "left"), [("drivable", ["lanes"]), ("lanes", ["drivable"]), ("boxes", None)])
def test_a_missing_label_leaves_its_task_out(painted, street, missing, left) -> None:
    predictor, sample = painted(), street(1)
    setattr(sample, missing, None)
    record = Scorer(protocol("dataset"), {0: "vehicle"}, {0: "vehicle"})(0, sample, predictor.look([sample.image])[0])
    assert getattr(record, missing) is None
    if left is not None:
        assert all(getattr(record, task) is not None for task in left)
    else:
        assert record.box_pairs is None
