from dataclasses import dataclass

import numpy as np
import pytest

from yolopv2.data.check import check_dataset, check_sample
from yolopv2.data.sample import IGNORE, Sample
from yolopv2.data.sheet import contact_sheet, draw_sample
from yolopv2.data.stats import count_dataset
from yolopv2.data.synthetic import render_scene
from yolopv2.errors import YolopError

IMAGE = np.full((100, 200, 3), 90, np.uint8)
NAMES = {0: "car", 1: "person"}


@dataclass
class Frames:
    """A data set in memory; an error stands for a frame that cannot be read."""

    samples: list[Sample | YolopError]
    names: dict[int, str]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        sample = self.samples[index]
        if isinstance(sample, YolopError):
            raise sample
        return sample


def boxed(*boxes: tuple[float, float, float, float], class_id: int = 0, **labels: np.ndarray) -> Sample:
    array = np.array(boxes, np.float32).reshape(-1, 4)
    return Sample(IMAGE, array, np.full(len(array), class_id, np.int64), source="a", **labels)


def half(value: int = 1, height: int = 100) -> np.ndarray:
    mask = np.zeros((height, 200), np.uint8)
    mask[height // 2 :] = value
    return mask


def box_mask(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros((1, 100, 200), bool)
    mask[:, y1:y2, x1:x2] = True
    return mask


@pytest.mark.parametrize(
    ("sample", "kind", "said"),
    [
        (boxed(), "empty", "there are none"),
        (boxed((5, 5, 5, 9)), "empty", "box 1 (5.0 5.0 5.0 9.0) has no area"),
        (boxed((9, 5, 5, 9)), "empty", "no area"),
        (boxed((0, 0, 200, 100), (150, 50, 202, 90)), "out of range", "box 2"),
        (boxed((-2, 0, 10, 10)), "out of range", "leaves the frame of 200x100"),
        (boxed((0, 0, 10, 10), class_id=2), "out of range", "has the class 2, the classes are [0, 1]"),
        (boxed((0, 0, 10, 10), masks=box_mask(0, 0, 0, 0)), "empty", "mask of box 1"),
        (boxed((0, 0, 10, 10), masks=box_mask(20, 20, 30, 30)), "misaligned", "mask of box 1"),
        (Sample(IMAGE, drivable=half(0)), "empty", "drivable: nothing"),
        (Sample(IMAGE, lanes=half(IGNORE)), "empty", "lanes: nothing"),
        (Sample(IMAGE, lanes=half(2)), "out of range", "lanes: values [2]"),
        (Sample(IMAGE, lanes=half(1, 90)), "misaligned", "lanes: another size"),
    ],
)
def test_what_is_wrong_is_found(sample: Sample, kind: str, said: str) -> None:
    (finding,) = check_sample(sample, NAMES)
    assert finding.kind == kind
    assert said in finding.message


def test_right_labels_are_left_in_peace() -> None:
    aligned = boxed((0.4, 0, 200.6, 100), masks=box_mask(0, 0, 200, 100), drivable=half(), lanes=half())
    assert check_sample(aligned, NAMES) == []
    scene = render_scene(3, 180, 320)
    assert check_dataset(Frames([scene, scene], {0: "vehicle"})) == []


def test_a_label_is_missing_where_other_frames_have_it() -> None:
    labelled = Sample(IMAGE, drivable=half(), source="a")
    findings = check_dataset(Frames([labelled, Sample(IMAGE, source="b"), YolopError("c.png is damaged")], NAMES))
    assert [(finding.kind, finding.message) for finding in findings] == [
        ("unreadable", "c.png is damaged"),
        ("missing", "b: no drivable, other frames have them"),
    ]


def test_a_data_set_without_anything_is_found() -> None:
    assert "no frames" in check_dataset(Frames([], NAMES))[0].message
    assert "no frame has any label" in check_dataset(Frames([Sample(IMAGE)], NAMES))[0].message


def test_stats_count() -> None:
    lanes = half()
    lanes[:50] = IGNORE
    lanes[60:] = 0
    samples = [
        boxed((0, 0, 10, 10), (0, 0, 50, 50), (0, 0, 200, 100), drivable=half()),
        boxed(class_id=1, lanes=lanes),
        Sample(IMAGE, drivable=half(0)),
    ]
    seen: list[None] = []
    stats = count_dataset(Frames([*samples], NAMES), lambda: seen.append(None))
    assert len(seen) == stats.frames == 3
    assert stats.labelled == {"boxes": 2, "drivable": 2, "lanes": 1}
    assert stats.boxes["car"] == {"small": 1, "medium": 1, "large": 1}
    assert sum(stats.boxes["person"].values()) == 0
    assert stats.share == {"drivable": 0.25, "lanes": 0.2}  # 10 of 50 rows that are not ignored


def test_a_label_is_drawn_where_it_is() -> None:
    sample = boxed((20, 20, 60, 50), drivable=half(), lanes=half(IGNORE))
    changed = (draw_sample(sample, {0: "car"}) != IMAGE).any(-1)
    assert changed[50:].all()
    assert changed[20, 20:60].all()
    assert not changed[:15].any()


def test_a_sheet_has_frames_of_any_size() -> None:
    square = Sample(np.full((50, 50, 3), 50, np.uint8), source="square")
    sheet = contact_sheet(Frames([boxed((0, 0, 10, 10), drivable=half()), *[Sample(IMAGE)] * 9, square], NAMES), 5)
    assert sheet.shape == (2 * (640 + 24), 3 * 640, 3)
    with pytest.raises(YolopError, match="no frames"):
        contact_sheet(Frames([], NAMES))
