import numpy as np
import pytest

from yolopv2.data.packed import PackedSample
from yolopv2.errors import YolopError
from yolopv2.training.loader import Source
from yolopv2.training.survey import survey_labels


def frame(height: int, width: int, boxes: list[list[float]] | None = None, lanes: bool = False) -> PackedSample:
    maps = np.zeros((height, width, 4), np.uint8)
    maps[..., 3] = 255 * lanes
    found = None if boxes is None else np.array(boxes, np.float32).reshape(-1, 5)
    return PackedSample(np.full((height, width, 3), 51, np.uint8), maps, found)


def test_sizes_are_those_on_the_canvas_whatever_the_frames_size() -> None:
    small, large = frame(45, 80, [[0, 10, 10, 20, 15]]), frame(90, 160, [[0, 10, 10, 30, 20]])
    survey = survey_labels([Source([small], 1.0), Source([large], 1.0)], 192, 320)
    np.testing.assert_allclose(survey.sizes, [[40, 20], [40, 20]])
    assert survey.images.shape == (2, 3, 192, 320)
    assert survey.images[:, :, 96].mean().item() == pytest.approx(0.2, abs=0.01)


def test_tasks_without_labels_are_named() -> None:
    survey = survey_labels([Source([frame(45, 80, []), frame(45, 80, lanes=True)], 1.0)], 96, 160)
    assert survey.labelled == {"detection": True, "drivable": False, "lanes": True, "masks": True}
    assert "No labels for drivable were found" in survey.remarks(["detection", "drivable"])[0]
    assert survey.remarks(["lanes"]) == []


def test_frames_none_of_which_can_be_read_are_an_error() -> None:
    class Broken(list):  # type: ignore[type-arg]
        def __getitem__(self, index: object) -> PackedSample:
            raise YolopError("damaged")

    with pytest.raises(YolopError, match="None of 2 training frames can be read; the first: damaged"):
        survey_labels([Source(Broken([0, 1]), 1.0)], 96, 160)
