import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.geometry.boxes import iou_matrix
from yolopv2.scene.labels import label_text, place_tags
from yolopv2.scene.palette import VEHICLES, text_colour


def tags_of(boxes, sizes, frame, confidence=None) -> np.ndarray:
    boxes, sizes = np.array(boxes, np.float32).reshape(-1, 4), np.array(sizes).reshape(-1, 2)
    confidence = np.linspace(0.9, 0.3, len(boxes)) if confidence is None else np.array(confidence)
    corners = place_tags(boxes, confidence, sizes, frame)
    return np.concatenate([corners, corners + sizes], axis=1)


def test_a_tag_sits_on_its_box_or_inside_where_there_is_no_room_above():
    assert tags_of([[100, 100, 200, 150]], [[60, 15]], (720, 1280)).tolist() == [[100, 85, 160, 100]]
    assert tags_of([[0, 0, 1280, 720]], [[60, 15]], (720, 1280))[0, :2].tolist() == [0, 0]


@given(
    st.lists(st.tuples(*[st.integers(-50, 400)] * 4), min_size=1, max_size=20), st.integers(5, 90), st.integers(5, 20)
)
def test_tags_stay_inside_the_frame(boxes, width, height):
    tags = tags_of(boxes, [[width, height]] * len(boxes), (240, 320))
    assert (tags >= 0).all()
    assert (tags <= [320, 240, 320, 240]).all()


def test_tags_of_a_row_of_parked_cars_do_not_cover_each_other():
    boxes = [[100 + 30 * i, 200, 150 + 30 * i, 230] for i in range(12)]
    tags = tags_of(boxes, [[60, 15]] * 12, (360, 640))
    assert np.triu(iou_matrix(tags, tags), 1).max() == 0


def test_labels_name_track_class_and_confidence(street):
    assert label_text(street(), 2) == "bus 0.70"
    assert label_text(street(with_tracks=True), 1) == "#3 car 0.90"


@pytest.mark.parametrize("background", VEHICLES)
def test_text_contrasts_with_its_tag(background):
    def luminance(colour) -> float:
        parts = np.array(colour) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted([luminance(background), luminance(text_colour(background))])
    assert (light + 0.05) / (dark + 0.05) > 4.5  # WCAG 2, level AA
