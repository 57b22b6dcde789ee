from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from yolopv2.data.config import read_config
from yolopv2.data.dataset import DataSource, open_dataset, open_sources, split_names
from yolopv2.data.formats import BDD100K
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
        ({"drivable": ["direct"]}, "'drivable' is for the format bdd100k, yolo knows no kinds"),
        ({"lane_width": 3}, "'lane_width' is for the format bdd100k"),
        ({"format": "bdd100k", "drivable": ["driect"]}, "'driect' is unknown, perhaps 'direct'"),
        ({"format": "bdd100k", "drivable": []}, "drivable"),
        ({"format": "bdd100k", "lane_width": 0}, "lane_width"),
        ({"format": "bdd100k", "lane_width": "wide"}, "lane_width"),
        ({"format": "bdd100k", "lane_width": {"vla": 2}}, "'vla', perhaps 'val'"),
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


@pytest.mark.parametrize(
    ("changes", "drivable", "width"),
    [
        ({}, ("direct", "alternative"), 2),
        ({"drivable": ["direct"], "lane_width": 5}, ("direct",), 5),
        ({"lane_width": {"val": 3.5}}, ("direct", "alternative"), 3.5),
        ({"splits": {"train": "val"}}, ("direct", "alternative"), 8),
        ({"splits": {"other": "train"}, "lane_width": {"other": 4}}, ("direct", "alternative"), 4),
    ],
)
def test_bdd100k_is_told_what_counts_and_how_wide_lanes_are(
    folder: Path, changes: dict, drivable: tuple[str, ...], width: float
) -> None:
    for split in ("train", "val"):
        (folder / "set/labels").mkdir(exist_ok=True)
        (folder / f"set/labels/bdd100k_labels_images_{split}.json").write_text("[]")
    path = describe(folder, **({"format": "bdd100k"} | changes))
    dataset = open_dataset(path, split_names(path)[0])
    assert isinstance(dataset, BDD100K)
    assert tuple(dataset.drivable) == drivable
    assert dataset.lane_width == width


@pytest.fixture
def mix(tmp_path: Path) -> Path:
    """Two sources with a split in common, of which one calls it otherwise."""
    for name, splits, frames in (("a", {"train": "train", "val": "val"}, 3), ("b", {"night": "train"}, 2)):
        folder = tmp_path / name / "set/images"
        for split in splits.values():
            (folder / split).mkdir(parents=True)
            for frame in range(frames):
                cv2.imwrite(str(folder / split / f"{name}{frame}.png"), np.zeros((10, 20, 3), np.uint8))
        describe(tmp_path / name, splits=splits)
    sources = [{"data": "a/data.yaml", "share": 3}, {"data": "b", "share": 1.0, "splits": {"train": "night"}}]
    path = tmp_path / "mix.yaml"
    path.write_text(yaml.safe_dump({"sources": sources}))
    return path


def test_a_mix_gives_each_source_its_share(mix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert split_names(mix) == ["train", "val"]
    sources = open_sources(mix, "train")
    assert [(len(dataset), share) for dataset, share in sources] == [(3, 0.75), (2, 0.25)]
    (only,) = open_sources(mix, "val")  # the other source has no such split
    assert (len(only.dataset), only.share) == (3, 1)


def test_a_plain_set_is_one_source(folder: Path) -> None:
    (source,) = open_sources(describe(folder), "val")
    assert isinstance(source, DataSource)
    assert (len(source.dataset), source.share) == (1, 1)


def test_a_mix_opens_as_all_its_frames(mix: Path) -> None:
    dataset = open_dataset(mix, "train")
    assert len(dataset) == 5
    assert dataset.names == {0: "car", 1: "person"}
    names = ["a0", "a1", "a2", "b0", "b1"]
    assert [dataset[i].source for i in range(5)] == [f"train/{name}" for name in names]
    assert dataset[-1].source == "train/b1"
    with pytest.raises(IndexError):
        dataset[5]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("sources: []", "sources"),
        ("sources: [{data: a, shrae: 1}]", "source 1: the key 'shrae' is unknown, perhaps 'share'"),
        ("sources: [{data: a, share: 1}, {data: b}]", "source 2: the key 'share' is missing"),
        ("sources: [{data: a, share: 0}]", "share"),
        ("sources: [{data: a, share: 1}]\nformat: yolo", "'format' is unknown"),
        ("sources: [{data: none.yaml, share: 1}]", r"none\.yaml"),
        ("sources: [{data: b, share: 1, splits: {train: nihgt}}]", "'nihgt', perhaps 'night'"),
        ("sources: [{data: b, share: 1}]", "no split 'train'; known are night"),
        ("sources: [{data: mix.yaml, share: 1}]", "is a mix itself"),
    ],
)
def test_what_cannot_be_in_a_mix_is_said(mix: Path, content: str, said: str) -> None:
    (mix.parent / "other.yaml").write_text(content)
    with pytest.raises(YolopError, match=said):
        open_sources(mix.parent / "other.yaml", "train")


def test_sources_of_other_classes_are_refused(mix: Path) -> None:
    describe(mix.parent / "b", splits={"night": "train"}, classes=["person", "car"])
    with pytest.raises(YolopError, match=r"a/data\.yaml has \['car', 'person'\] and .* has \['person', 'car'\]"):
        open_sources(mix, "train")
    assert len(open_sources(mix, "val")) == 1


def test_a_source_without_classes_has_no_boxes_to_disagree_about(mix: Path) -> None:
    (mix.parent / "b/set/train").mkdir()
    describe(mix.parent / "b", format="camvid", splits={"night": "train"}, classes=None)
    assert len(open_sources(mix, "train")) == 2


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
