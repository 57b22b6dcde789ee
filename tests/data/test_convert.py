"""Round trips: whatever labels a frame has, each layout gives them back."""

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.data.convert import Converted, convert_dataset, write_split
from yolopv2.data.dataset import open_dataset
from yolopv2.data.sample import IGNORE, Sample
from yolopv2.data.synthetic import write_dataset
from yolopv2.data.writers import LAYOUTS, WRITERS, Layout
from yolopv2.errors import YolopError

NAMES = {0: "car", 1: "Fußgänger"}
LOST = {"yolo": {"masks"}, "yolop": {"masks"}, "coco": set(), "bdd100k": {"masks"}}


@dataclass
class Frames:
    samples: list[Sample | YolopError]
    names: dict[int, str]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        sample = self.samples[index]
        if isinstance(sample, YolopError):
            raise sample
        return sample


@st.composite
def samples(draw: st.DrawFn, name: str) -> Sample:
    """A frame of any size with any labels missing, boxes that may leave it, and masks of all three values."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width, count = draw(st.integers(8, 40)), draw(st.integers(8, 60)), draw(st.integers(0, 4))
    sample = Sample(rng.integers(0, 256, (height, width, 3), np.uint8), source=f"val/{name}")
    if draw(st.booleans()):
        corners = rng.uniform(-3, 1.1 * max(height, width), (count, 2, 2)).astype(np.float32)
        sample.boxes = np.concatenate([corners.min(1), corners.max(1)], 1)
        sample.class_ids = rng.integers(0, len(NAMES), count)
        if draw(st.booleans()):
            sample.masks = rng.random((count, height, width)) < 0.3
    for task in ("drivable", "lanes"):
        if draw(st.booleans()):
            setattr(sample, task, rng.choice(np.array([0, 1, IGNORE], np.uint8), (height, width)))
    return sample


def same(labels: np.ndarray | None, again: np.ndarray | None, atol: float = 0) -> None:
    assert (labels is None) == (again is None)
    if labels is not None and again is not None:
        np.testing.assert_allclose(again, labels, rtol=0, atol=atol)


def read_back(dataset: Frames, folder: Path, layout: Layout) -> tuple[Converted, list[Sample]]:
    result = Converted()
    write_split(dataset, WRITERS[layout](folder, "val", NAMES), result)
    described = {"format": layout, "splits": {"val": "val"}, "classes": list(NAMES.values())}
    (folder / "data.yaml").write_text(yaml.safe_dump(described))
    again = open_dataset(folder, "val")
    assert again.names == NAMES
    return result, [again[index] for index in range(len(again))]


@pytest.mark.parametrize("layout", LAYOUTS)
@given(frames=st.tuples(samples("a"), samples("b.c")))
@settings(max_examples=40, deadline=None)
def test_every_layout_gives_back_every_label(layout: Layout, frames: tuple[Sample, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        result, again = read_back(Frames([*frames], NAMES), Path(folder), layout)
    assert len(again) == result.frames == 2
    for sample, back in zip(frames, again, strict=True):
        assert Path(back.source).name.startswith(Path(sample.source).name)
        same(sample.boxes, back.boxes, atol=1e-3)
        same(sample.class_ids, back.class_ids)
        area = sample.drivable
        if layout == "yolop" and area is not None:
            area = np.where(area == IGNORE, 0, area)
            assert (area == sample.drivable).all() or any("drivable" in what for what in result.lacking)
        same(area, back.drivable)
        same(sample.lanes, back.lanes)
        if sample.masks is not None and len(sample.masks):
            assert back.masks is None if "masks" in LOST[layout] else back.masks is not None
            same(sample.masks if back.masks is not None else None, back.masks)
            assert ("instance masks" in result.lacking) == ("masks" in LOST[layout])
        if layout != "bdd100k":
            np.testing.assert_array_equal(back.image, sample.image)  # PNG: there was no file to copy


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    write_dataset(folder, {"train": 2, "val": 1}, seed=4, height=96, width=160)
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_data_set_on_disk_is_converted_and_converted_again(scenes: Path, tmp_path: Path, layout: Layout) -> None:
    seen: list[None] = []
    done = convert_dataset(scenes, tmp_path / "first", layout, progress=lambda: seen.append(None))
    assert done.frames == len(seen) == 3
    assert not done.failed
    convert_dataset(tmp_path / "first", tmp_path / "second", "coco")
    for split, count in (("train", 2), ("val", 1)):
        original, again = open_dataset(scenes, split), open_dataset(tmp_path / "second", split)
        assert len(again) == count
        for index in range(count):
            sample, back = original[index], again[index]
            same(sample.boxes, back.boxes, atol=1e-3)
            same(sample.drivable, back.drivable)
            same(sample.lanes, back.lanes)
            same(sample.masks if layout == "coco" else None, back.masks)
            assert sample.path is not None
            assert back.path is not None
            assert sample.path.read_bytes() == back.path.read_bytes()


def test_splits_may_follow_one_another(scenes: Path, tmp_path: Path) -> None:
    for split in ("val", "train"):
        convert_dataset(scenes, tmp_path / "out", "yolo", [split])
    assert len(open_dataset(tmp_path / "out", "train")) == 2
    assert len(open_dataset(tmp_path / "out", "val")) == 1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_broken_run_continues(scenes: Path, tmp_path: Path, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    out, keep, kept = tmp_path / "out", WRITERS[layout].keep, []

    def dies(writer: object, name: str, sample: Sample) -> None:
        kept.append(name)
        keep(writer, name, sample)  # type: ignore[arg-type]
        if len(kept) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(WRITERS[layout], "keep", dies)
    with pytest.raises(KeyboardInterrupt):
        convert_dataset(scenes, out, layout)
    assert not (out / "data.yaml").exists()
    assert not list(out.rglob("*.part"))
    convert_dataset(scenes, out, layout)
    assert kept == ["000000", "000001", "000001", "000000"]  # the frame that was whole is not written again
    assert len(open_dataset(out, "train")) == 2


def test_pictures_of_a_kind_the_layout_lacks_are_encoded(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.full((8, 8, 3), 200, np.uint8))
    frame = Sample(np.full((8, 8, 3), 200, np.uint8), source="val/a", path=path)
    read_back(Frames([frame], NAMES), tmp_path / "bdd", "bdd100k")
    assert (tmp_path / "bdd/images/100k/val/a.jpg").read_bytes()[:2] == b"\xff\xd8"
    read_back(Frames([frame], NAMES), tmp_path / "yolo", "yolo")
    assert (tmp_path / "yolo/images/val/a.png").read_bytes() == path.read_bytes()


def test_frames_of_one_name_are_kept_apart_and_bad_ones_named(tmp_path: Path) -> None:
    frames = [Sample(np.full((8, 8, 3), value, np.uint8), source="val/a") for value in range(3)]
    other = replace(frames[0], source="val/a-2")
    bad = YolopError("b.png is damaged")
    result, again = read_back(Frames([other, *frames, bad], NAMES), tmp_path, "yolo")
    assert sorted(sample.source for sample in again) == ["val/a", "val/a-2", "val/a-3", "val/a-4"]
    assert result.frames == 4
    assert result.failed == ["b.png is damaged"]


def test_a_set_without_classes_stays_one(tmp_path: Path) -> None:
    for folder in ("val", "valannot"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "in" / folder / "a.png"), np.full((8, 8), 3, np.uint8))
    (tmp_path / "in/data.yaml").write_text("format: camvid\nsplits: {val: val}\n")
    for layout in LAYOUTS:
        convert_dataset(tmp_path / "in", tmp_path / layout, layout)
        dataset = open_dataset(tmp_path / layout, "val")
        assert dataset.names == {}
        assert dataset[0].boxes is None
        same(np.ones((8, 8), np.uint8), dataset[0].drivable)


def test_foreign_folders_and_the_set_itself_are_left_alone(scenes: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in scenes.rglob("*") if path.is_file()}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "mix.yaml").write_text(f"sources: [{{data: {scenes}/data.yaml, share: 1}}]")
    (tmp_path / "link").symlink_to(scenes)
    convert_dataset(scenes, tmp_path / "yolo", "yolo", ["val"])
    for data, output, layout, said in (
        (scenes, scenes, "yolo", "holds the data set itself"),
        (scenes, tmp_path / "link", "yolo", "holds the data set itself"),
        (tmp_path / "mix.yaml", scenes, "yolo", "holds the data set itself"),
        (scenes, tmp_path / "mine", "yolo", "is not empty and holds no conversion"),
        (scenes, tmp_path / "file", "yolo", "is a file"),
        (scenes, tmp_path / "yolo", "coco", "holds another conversion"),
        (tmp_path / "mix.yaml", tmp_path / "yolo", "yolo", "holds another conversion"),
    ):
        with pytest.raises(YolopError, match=said):
            convert_dataset(data, output, layout)  # type: ignore[arg-type]
    assert before == {path: path.read_bytes() for path in scenes.rglob("*") if path.is_file()}
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    assert json.loads((tmp_path / "yolo/conversion.json").read_text())["format"] == "yolo"


def test_a_split_without_frames_stays_one(tmp_path: Path) -> None:
    (tmp_path / "in/images/val").mkdir(parents=True)
    (tmp_path / "in/data.yaml").write_text("format: yolo\nsplits: {val: val}\nclasses: [car]\n")
    for layout in LAYOUTS:
        convert_dataset(tmp_path / "in", tmp_path / layout, layout)
        assert len(open_dataset(tmp_path / layout, "val")) == 0


@pytest.mark.parametrize("split", ["a/b", "..", "../x"])
def test_a_split_that_is_no_name_of_a_folder_is_refused(scenes: Path, tmp_path: Path, split: str) -> None:
    described = {"format": "synthetic", "root": str(scenes), "splits": {split: "val"}, "classes": ["vehicle"]}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(described))
    with pytest.raises(YolopError, match="name of a folder"):
        convert_dataset(tmp_path, tmp_path / "out", "yolo")
    assert not (tmp_path / "out").exists()
