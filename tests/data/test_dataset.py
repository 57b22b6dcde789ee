from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from yolopv2.data.dataset import open_dataset, read_config
from yolopv2.data.synthetic import write_dataset
from yolopv2.errors import YolopError

REAL = Path(__file__).parents[3] / "shared/data"
PAPER = {"vehicle": ["car", "truck", "bus", "train"]}


def describe(folder: Path, **changes: object) -> Path:
    config = {"format": "yolo", "root": "set", "splits": {"val": "val"}, "classes": ["car", "person"]} | changes
    path = folder / "data.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in config.items() if value is not None}))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set/images/val").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "set/images/val/a.png"), np.zeros((10, 20, 3), np.uint8))
    return tmp_path


def test_the_root_is_relative_to_the_yaml(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    dataset = open_dataset(describe(folder), "val")
    assert len(dataset) == 1
    assert dataset.names == {0: "car", 1: "person"}


def test_a_folder_stands_for_its_data_yaml(folder: Path) -> None:
    describe(folder)
    assert open_dataset(folder, "val")[0].image.shape == (10, 20, 3)


def test_a_split_has_another_name_in_the_files(folder: Path) -> None:
    assert len(open_dataset(describe(folder, splits={"test": "val"}), "test")) == 1


def test_generated_scenes_open_by_what_is_written_beside_them(tmp_path: Path) -> None:
    dataset = open_dataset(write_dataset(tmp_path, {"val": 1}, height=64, width=96), "val")
    assert dataset.names == {0: "vehicle"}
    assert dataset[0].masks is not None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clases": ["car"]}, "'clases' is unknown, perhaps 'classes'"),
        ({"format": "yolov"}, "'yolov' is unknown, perhaps 'yolo"),
        ({"format": None}, "'format' is missing"),
        ({"splits": {}}, "splits"),
        ({"splits": ["val"]}, "splits"),
        ({"classes": 3}, "classes"),
        ({"classes": None}, "'classes' is missing"),
        ({"classes": {"a": ["car"], "b": ["car"]}}, "'car' belongs to two classes"),
        ({"splits": {"vla": "val"}}, "no split 'val', perhaps 'vla'"),
        ({"root": "elsewhere"}, "elsewhere"),
        ({"format": "synthetic"}, "generated scenes"),
    ],
)
def test_what_cannot_be_is_said(folder: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(YolopError, match=said):
        open_dataset(describe(folder, **changes), "val")


@pytest.mark.parametrize("content", ["[", "- a", "", "3", "\x00"])
def test_a_file_that_is_no_description_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(YolopError, match=r"mine\.yaml"):
        read_config(path)
    with pytest.raises(YolopError, match=r"none\.yaml"):
        read_config(tmp_path / "none.yaml")


@pytest.mark.skipif(not REAL.exists(), reason="real frames are not on this machine")
@pytest.mark.parametrize(("name", "frames", "lanes"), [("bdd100k", 81, True), ("camvid", 101, False)])
def test_real_frames_are_read_in_place(tmp_path: Path, name: str, frames: int, lanes: bool) -> None:
    dataset = open_dataset(describe(tmp_path, format=name, root=str(REAL / name), classes=PAPER), "val")
    assert len(dataset) == frames
    sample = dataset[0]
    assert sample.drivable is not None
    assert sample.drivable.shape == sample.image.shape[:2]
    assert 0.05 < (sample.drivable == 1).mean() < 0.6
    assert (sample.lanes is not None) == (sample.boxes is not None) == lanes
