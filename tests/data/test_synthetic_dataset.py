"""Generated data sets on disk."""

import json

import numpy as np
import pytest
import yaml

from yolopv2.data.synthetic import SyntheticDataset, write_dataset
from yolopv2.errors import YolopError

SIZE = {"height": 64, "width": 96}


@pytest.fixture
def folder(tmp_path):
    write_dataset(tmp_path, {"train": 3, "val": 1}, seed=5, **SIZE)
    return tmp_path


def test_what_is_written_is_read_back(tmp_path):
    steps = []
    description = write_dataset(
        tmp_path, {"train": 3, "val": 1}, 5, 192, 320, progress=lambda *step: steps.append(step)
    )
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert yaml.safe_load(description.read_text()) == {
        "format": "synthetic",
        "root": ".",
        "splits": {"train": "train", "val": "val"},
        "classes": ["vehicle"],
    }
    train = SyntheticDataset(tmp_path, "train")
    assert (len(train), len(SyntheticDataset(tmp_path, "val"))) == (3, 1)
    for sample in (train[i] for i in range(3)):
        assert sample.image.shape == (192, 320, 3)
        assert len(sample.boxes) == len(sample.class_ids) == len(sample.masks)
        for box, mask in zip(sample.boxes, sample.masks, strict=True):
            rows, columns = np.nonzero(mask)
            assert box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert set(np.unique(sample.drivable)) <= {0, 1}
        assert sample.drivable.any()
        assert sample.lanes.any()


def test_no_scene_is_in_two_splits(folder):
    scenes = [json.loads(path.read_text())["source"] for path in folder.glob("boxes/*/*.json")]
    assert len(set(scenes)) == 4


def test_a_broken_run_is_continued(folder):
    kept, lost = folder / "images/train/000000.jpg", folder / "images/train/000001.jpg"
    before = kept.stat().st_mtime_ns
    content = lost.read_bytes()
    lost.unlink()
    write_dataset(folder, {"train": 4}, seed=5, **SIZE)
    assert kept.stat().st_mtime_ns == before
    assert lost.read_bytes() == content
    assert len(SyntheticDataset(folder, "train")) == 4
    assert yaml.safe_load((folder / "data.yaml").read_text())["splits"] == {"train": "train", "val": "val"}


def test_recipes_are_not_mixed(folder):
    with pytest.raises(YolopError, match="other scenes"):
        write_dataset(folder, {"train": 1}, seed=6, **SIZE)


@pytest.mark.parametrize("wrong", [{"height": 9}, {"weather": "hail"}, {"time_of_day": "noon"}])
def test_what_cannot_be_rendered_leaves_nothing(tmp_path, wrong):
    with pytest.raises(YolopError):
        write_dataset(tmp_path, {"train": 1}, **{**SIZE, **wrong})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("part", ["images", "boxes", "instances", "drivable", "lanes"])
@pytest.mark.parametrize("content", [b"", b"{}", None])
def test_a_damaged_file_is_named(folder, part, content):
    path = next((folder / part / "train").glob("000001.*"))
    path.write_bytes(content) if content is not None else path.unlink()
    if part == "images" and content is None:
        assert len(SyntheticDataset(folder, "train")) == 2
        return
    with pytest.raises(YolopError, match=path.name):
        SyntheticDataset(folder, "train")[1]


def test_a_frame_that_is_cut_short_is_named(folder):
    path = folder / "images" / "train" / "000001.jpg"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(YolopError, match=f"{path.name}.*truncated.*render"):
        SyntheticDataset(folder, "train")[1]


def test_a_missing_split_is_named(folder):
    with pytest.raises(YolopError, match="test"):
        SyntheticDataset(folder, "test")
