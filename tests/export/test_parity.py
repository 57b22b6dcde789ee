"""The proof: what is the same passes, what is not is named and leaves no file."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from yolopv2.errors import YolopError
from yolopv2.export.frames import Frames, generated_frames
from yolopv2.export.options import Options
from yolopv2.export.parity import BOUNDS, Parity, Reference, require
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.postprocess import Thresholds
from yolopv2.inference.runtimes import Runtime

NAMES = {0: "car", 1: "truck"}
OPTIONS = Options(size=160)
SAME = Parity(1, "nowhere", {}, {}, {}, {})


class Painted(SimpleNamespace):
    """A runtime that sees two boxes, a road and a marking, wherever it looks; shifted by some pixels if asked."""

    names, description = NAMES, "painted"

    def __init__(self, shift: int = 0, score: float = 0.9, suppressed: bool = False) -> None:
        super().__init__(shift=shift, score=score, suppressed=suppressed)

    def __call__(self, batch: np.ndarray, alone: bool = True) -> Candidates:
        n, height, width, _ = batch.shape
        boxes = np.array([[20, 20, 60, 50], [90, 30, 130, 80], [91, 31, 131, 81]], np.float32) + self.shift
        scores = np.array([[self.score, 0], [0, 0.8], [0, 0.7]], np.float32)
        road, lanes = np.zeros((2, n, height, width), np.uint8)
        road[:, 50:, 10 + self.shift : 100 + self.shift] = 255
        lanes[:, 40:, 50 + self.shift : 54 + self.shift] = 200
        kept = slice(0, 2 if self.suppressed else 3)
        return Candidates(np.tile(boxes[kept], (n, 1, 1)), np.tile(scores[kept], (n, 1, 1)), road, lanes)


def frames(labels: bool = False) -> Frames:
    shown = generated_frames(2, height=90)
    if not labels:
        return shown
    seen = Reference(Painted(), shown, OPTIONS)._decisions
    return Frames(seen, "painted labels", NAMES)


def compared(export: Runtime, labels: bool = False) -> Parity:
    return Reference(Painted(), frames(labels), OPTIONS).compare(export)


def test_the_same_is_the_same() -> None:
    found = compared(Painted(), labels=True)
    assert found.differences == {"boxes": 0, "scores": 0, "drivable": 0, "lanes": 0}
    assert found.agreement == found.network == found.export
    assert all(value == pytest.approx(1) for value in found.agreement.values())
    assert set(found.agreement) == {"ap50", "drivable_iou", "lane_iou"}
    assert found.beyond(BOUNDS["float32"]) == []


def test_a_shift_by_one_pixel_is_measured() -> None:
    found = compared(Painted(shift=1), labels=True)
    assert found.differences["boxes"] == 1
    assert found.agreement["lane_iou"] == pytest.approx(3 / 5, abs=0.02)  # 4 pixels wide, 3 of them shared
    assert found.drops["lane_iou"] == pytest.approx(1 - found.agreement["lane_iou"])
    told = "; ".join(found.beyond(BOUNDS["half"]))
    assert "lane_iou on labels drops" in told
    assert "lane_iou with the network's view" in told


def test_boxes_that_a_graph_suppresses_are_compared_as_decisions() -> None:
    found = compared(Painted(suppressed=True))
    assert set(found.differences) == {"drivable", "lanes"}
    assert found.agreement["ap50"] == pytest.approx(1)


@pytest.mark.parametrize(("before", "after", "same"), [(0.31, 0.29, True), (0.29, 0.31, True), (0.4, 0.29, False)])
def test_a_score_at_the_threshold_decides_nothing(before: float, after: float, same: bool) -> None:
    options = replace(OPTIONS, nms=Thresholds(conf=0.3))
    found = Reference(Painted(score=before), frames(), options).compare(Painted(score=after, suppressed=True))
    assert (found.agreement["ap50"] == pytest.approx(1)) == same


def test_generated_frames_have_no_labels_that_count_and_differ_from_those_of_a_calibration() -> None:
    assert compared(Painted()).network == {}
    shown = generated_frames(3, height=90)
    calibration = generated_frames(3, calibration=True, height=90)
    assert len(shown.samples) == len(calibration.samples) == 3
    assert not {sample.source for sample in shown.samples} & {sample.source for sample in calibration.samples}


@pytest.mark.parametrize("precision", BOUNDS)
@pytest.mark.parametrize("name", ["scores", "boxes", "mean"])
def test_each_difference_has_its_bound(precision: str, name: str) -> None:
    bounds = BOUNDS[precision]
    bound, key = getattr(bounds, name), "drivable" if name == "mean" else name
    assert replace(SAME, differences={key: bound}).beyond(bounds) == []
    for value in (bound * 1.01, np.nan):
        if not value <= bound:
            assert key in replace(SAME, differences={key: value}).beyond(bounds)[0]


@pytest.mark.parametrize("options", [Options(half=False), Options(), Options(int8=True)])
def test_scores_have_their_bounds_and_beyond_them_nothing_is_written(options: Options) -> None:
    bounds = BOUNDS[options.precision]
    require(replace(SAME, agreement={"ap50": bounds.agreement}), options)
    require(replace(SAME, network={"ap50": 0.5}, export={"ap50": 0.5 - bounds.drop * 0.99}), options)
    for wrong in (
        replace(SAME, agreement={"ap50": bounds.agreement - 0.001}),
        replace(SAME, network={"ap50": 0.5}, export={"ap50": 0.499 - bounds.drop}),
        replace(SAME, network={"ap50": 0.5}, export={}),  # the export sees nothing that could be scored
    ):
        with pytest.raises(YolopError, match=r"does not see .*ap50.*nothing was written"):
            require(wrong, options)


def test_bounds_grow_with_what_is_given_up() -> None:
    exact, half, int8 = (BOUNDS[name] for name in ("float32", "half", "int8"))
    for name in ("scores", "boxes", "mean", "drop"):
        assert getattr(exact, name) < getattr(half, name) < getattr(int8, name)
    assert exact.agreement > half.agreement > int8.agreement


def test_the_table_says_everything() -> None:
    lines = compared(Painted(shift=1), labels=True).lines
    assert len(lines) == 1 + 4 + 3 + 3
    assert len({len(line) for line in lines}) == 1


def test_without_pytorch_export_says_what_to_install() -> None:
    code = (
        "import importlib.util as u, importlib; found = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'torch' else found(name, *rest)\n"
        "import yolopv2.export.onnx"
    )
    failed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "needs the extra 'export'" in failed.stderr


def test_a_data_set_without_frames_is_named(tmp_path: Path) -> None:
    from yolopv2.export.frames import read_frames

    with pytest.raises(YolopError, match="nowhere"):
        read_frames(tmp_path / "nowhere.yaml", "val", 3)
