import json

import cv2
import numpy as np
import pytest

from yolopv2.data.synthetic import write_dataset


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    write_dataset(folder, {"train": 2, "val": 1}, seed=1, height=96, width=160)
    return folder


@pytest.fixture
def own(tmp_path):
    """One's own labels with a few faults."""
    for folder in ("images", "labels", "lanes"):
        (tmp_path / folder / "val").mkdir(parents=True)
    for name in "abc":
        cv2.imwrite(str(tmp_path / f"images/val/{name}.jpg"), np.full((40, 60, 3), 90, np.uint8))
    (tmp_path / "labels/val/a.txt").write_text("0 0.5 0.5 0.4 0.4\n0 0.9 0.5 0.4 0.4\n")
    (tmp_path / "labels/val/b.txt").write_text("5 0.5 0.5 0.4 0.4\n")
    cv2.imwrite(str(tmp_path / "lanes/val/c.png"), np.full((30, 60), 255, np.uint8))
    (tmp_path / "data.yaml").write_text("format: yolo\nsplits: {val: val}\nclasses: [car, person]\n")
    return tmp_path


def test_check_finds_nothing_wrong_with_generated_scenes(cli, scenes):
    ran = cli("data", "check", scenes)
    assert ran == (0, "train: 2 frames, nothing wrong\nval: 1 frames, nothing wrong\n", "")


def test_check_says_what_is_wrong_and_where(cli, own):
    ran = cli("data", "check", own / "data.yaml", "--split", "val")
    assert ran.code == 1
    assert "out of range: val/a: box 2" in ran.out
    assert "b.txt, line 1: class 5 is out of range" in ran.out
    assert "c.png is 60x30, but its image is 60x40" in ran.out
    assert ran.out.splitlines()[-1] == "val: 3 frames, 1 out of range, 2 unreadable"


def test_stats_as_a_table_and_as_json(cli, scenes):
    table = cli("data", "stats", scenes)
    assert table.code == 0
    assert "boxes of vehicle" in table.out
    counted = json.loads(cli("data", "stats", scenes, "--json").out)
    assert [counted[split]["frames"] for split in ("train", "val")] == [2, 1]
    assert counted["train"]["labelled"] == {"boxes": 2, "drivable": 2, "lanes": 2}
    assert list(json.loads(cli("data", "stats", scenes, "--json", "--split", "val").out)) == ["val"]


def test_show_draws_a_sheet(cli, scenes, tmp_path):
    ran = cli("data", "show", scenes, "--output", tmp_path / "sheet.jpg", "--split", "train")
    assert ran == (0, f"2 of 2 frames in {tmp_path / 'sheet.jpg'}\n", "")
    assert cv2.imread(str(tmp_path / "sheet.jpg")).shape == (384 + 24, 1280, 3)


@pytest.mark.parametrize("command", ["check", "stats", "show"])
def test_wrong_usage_is_a_sentence(cli, own, command):
    for arguments, said in ((["none.yaml"], "none.yaml"), ([own, "--split", "vall"], "perhaps 'val'")):
        ran = cli("data", command, *arguments)
        assert ran.code == 2
        assert said in ran.err
        assert "Traceback" not in ran.err
