import cv2
import numpy as np
import pytest

from yolopv2.cli.data_convert import Target
from yolopv2.data.dataset import open_dataset
from yolopv2.data.synthetic import write_dataset
from yolopv2.data.writers import LAYOUTS


def test_every_layout_can_be_asked_for():
    assert tuple(target.value for target in Target) == LAYOUTS


def test_converts_a_data_set_and_says_what_is_lost(cli, tmp_path):
    write_dataset(tmp_path / "scenes", {"train": 2, "val": 1}, seed=1, height=96, width=160)
    ran = cli("data", "convert", tmp_path / "scenes", tmp_path / "out", "--format", "yolo", "--split", "train")
    assert ran.code == 0
    assert ran.out == f"2 frames in {tmp_path / 'out'}\n"
    assert "yolo has no place for instance masks: " in ran.err
    assert len(open_dataset(tmp_path / "out", "train")) == 2
    assert cli("data", "convert", tmp_path / "scenes", tmp_path / "coco", "--format", "coco").err == ""


def test_a_frame_that_cannot_be_read_is_named_and_left_out(cli, tmp_path):
    (tmp_path / "images/val").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "images/val/a.png"), np.zeros((9, 9, 3), np.uint8))
    (tmp_path / "images/val/b.png").write_bytes(b"no picture")
    (tmp_path / "data.yaml").write_text("format: yolo\nsplits: {val: val}\nclasses: [car]\n")
    ran = cli("data", "convert", tmp_path, tmp_path / "out", "--format", "coco")
    assert ran.code == 1
    assert "left out: Cannot read" in ran.err
    assert "b.png" in ran.err
    assert ran.out == f"1 frames in {tmp_path / 'out'}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.yaml", "out", "--format", "yolo"], "none.yaml"),
        ([".", ".", "--format", "voc"], "'voc' is not one of"),
        ([".", "."], "--format"),
    ],
)
def test_wrong_usage_is_a_sentence(cli, arguments, said):
    ran = cli("data", "convert", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err
