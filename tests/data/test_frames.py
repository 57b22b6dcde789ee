import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.data import frames as module
from yolopv2.data.frames import CachedFrames, SizedFrames, open_frames
from yolopv2.data.packed import PackedSample, pack_sample
from yolopv2.data.sample import Sample
from yolopv2.data.synthetic import SyntheticDataset, write_dataset
from yolopv2.errors import YolopError


class Mixed:
    """Frames of several sizes, with and without labels; the third and the fifth are broken."""

    def __init__(self, root: Path) -> None:
        self.root, self.names, self.lane_width, self.reads = root, {0: "vehicle"}, 8, []
        (root / "labels.json").write_text("{}")

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Sample:
        self.reads.append(index)
        if index in (2, 4):
            raise YolopError(f"frame {index} is damaged")
        rng = np.random.default_rng(index)
        height, width = [(144, 256), (60, 80), (0, 0), (100, 50)][index]
        image = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
        if index == 3:
            return Sample(image)
        boxes = np.array([[1, 2, 30, 40]] * index, np.float32).reshape(-1, 4)
        lanes = rng.integers(0, 2, (height, width)).astype(np.uint8)
        return Sample(image, boxes, np.zeros(index, np.int64), lanes=lanes)


@pytest.fixture
def dataset(tmp_path: Path) -> Mixed:
    (tmp_path / "data").mkdir()
    return Mixed(tmp_path / "data")


@pytest.fixture
def opened(dataset: Mixed, tmp_path: Path) -> Callable[..., CachedFrames]:
    return lambda height=64, width=128: open_frames(dataset, height, width, "disk", tmp_path / "cache")  # type: ignore


def assert_same(one: PackedSample, other: PackedSample) -> None:
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.maps, other.maps)
    assert (one.boxes is None) == (other.boxes is None)
    if one.boxes is not None:
        np.testing.assert_array_equal(one.boxes, other.boxes)


@pytest.mark.parametrize("cache", ["ram", "disk"])
def test_a_cache_holds_what_the_data_set_gives(cache: str, dataset: Mixed, tmp_path: Path) -> None:
    ticks: list[int] = []
    cached = open_frames(dataset, 64, 128, cache, tmp_path / "cache", lambda: ticks.append(1))  # type: ignore[arg-type]
    plain = open_frames(dataset, 64, 128)
    assert len(cached) == len(plain) == len(ticks) == 5
    for index in (0, 1, 3):
        assert_same(cached[index], plain[index])
    for frames in (cached, plain, pickle.loads(pickle.dumps(cached))):
        for index in (2, 4):
            with pytest.raises(YolopError, match=f"frame {index} is damaged"):
                frames[index]
    assert_same(pickle.loads(pickle.dumps(cached))[1], plain[1])


def test_frames_fit_the_canvas_in_proportion_and_are_never_enlarged(dataset: Mixed) -> None:
    frames = open_frames(dataset, 64, 128)
    assert [frames[i].image.shape[:2] for i in (0, 1, 3)] == [(64, 114), (60, 80), (64, 32)]
    assert [frames[i].maps.shape[:2] for i in (0, 1, 3)] == [(64, 114), (60, 80), (64, 32)]


@given(st.integers(1, 400), st.integers(1, 400))
def test_any_frame_fits(height: int, width: int) -> None:
    size = SizedFrames([], 96, 160)._size(np.zeros((height, width, 3), np.uint8))  # type: ignore[arg-type]
    assert 1 <= size[0] <= min(96, height)
    assert 1 <= size[1] <= min(160, width)
    assert size == (height, width) or size[0] == 96 or size[1] == 160


def test_packed_frames_are_taken_where_there_are_any(dataset: Mixed) -> None:
    frame = dataset[1]
    large = pack_sample(frame, 60, 80)
    dataset.packed = lambda index: large  # type: ignore[attr-defined]
    dataset.reads.clear()
    assert open_frames(dataset, 64, 128)[0] is large
    small = open_frames(dataset, 30, 40)[0]
    assert not dataset.reads
    direct = pack_sample(frame, 30, 40)
    np.testing.assert_allclose(small.image, direct.image, atol=1)
    rest = [0, 1, 3]  # markings that were packed by touch are shrunk by area from there
    np.testing.assert_allclose(small.maps[..., rest], direct.maps[..., rest], atol=1)
    np.testing.assert_allclose(small.boxes, direct.boxes)  # type: ignore[arg-type]


def test_a_copy_on_disk_is_made_once(dataset: Mixed, opened: Callable[..., CachedFrames]) -> None:
    opened()
    dataset.reads.clear()
    opened()
    assert not dataset.reads


@pytest.mark.parametrize("change", ["size", "setting", "file", "new file", "names"])
def test_whatever_changes_the_frames_makes_a_new_copy(
    change: str, dataset: Mixed, opened: Callable[..., CachedFrames]
) -> None:
    opened()
    dataset.reads.clear()
    match change:
        case "setting":
            dataset.lane_width = 2
        case "file":
            os.utime(dataset.root / "labels.json", (1, 1))
        case "new file":
            (dataset.root / "0.png").touch()
        case "names":
            dataset.names = {0: "car"}
    opened(32 if change == "size" else 64)
    assert dataset.reads


def test_a_cache_inside_the_data_set_does_not_outdate_itself(dataset: Mixed) -> None:
    for _ in range(2):
        open_frames(dataset, 64, 128, "disk", dataset.root / "cache")
        (dataset.root / "cache" / "note.txt").touch()
    assert len(dataset.reads) == 5


def test_a_broken_run_leaves_nothing_that_passes_for_a_cache(
    dataset: Mixed, opened: Callable[..., CachedFrames], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", stop)
        with pytest.raises(KeyboardInterrupt):
            opened()
    assert not list((tmp_path / "cache").iterdir())
    assert len(opened()) == 5


def test_a_damaged_copy_is_named(opened: Callable[..., CachedFrames], tmp_path: Path) -> None:
    opened()
    (folder,) = (tmp_path / "cache").iterdir()
    (folder / "frames.npz").write_bytes(b"nothing")
    with pytest.raises(YolopError, match=r"cache/\w+ are damaged .*delete"):
        opened()


def test_what_does_not_fit_is_refused(
    dataset: Mixed, opened: Callable[..., CachedFrames], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_free_memory", lambda: 10_000)
    with pytest.raises(YolopError, match=r"5 frames of 128x64 take 0.0 GB and 0.0 GB of memory are free"):
        open_frames(dataset, 64, 128, "ram")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10_000}))
    with pytest.raises(YolopError, match=r"are free in .*cache"):
        opened()


def test_a_folder_that_cannot_be_written_is_named(dataset: Mixed, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(YolopError, match="cannot write"):
        open_frames(dataset, 64, 128, "disk", tmp_path / "file" / "cache")
    with pytest.raises(YolopError, match="folder"):
        open_frames(dataset, 64, 128, "disk")


def test_free_memory_is_known_on_linux() -> None:
    if not Path("/proc/meminfo").exists():
        pytest.skip("only Linux has /proc/meminfo")
    assert 10_000_000 < (module._free_memory() or 0) < 2**50


def test_generated_scenes_can_be_cached(tmp_path: Path) -> None:
    write_dataset(tmp_path / "scenes", {"train": 2}, height=96, width=160)
    frames = open_frames(SyntheticDataset(tmp_path / "scenes", "train"), 48, 80, "disk", tmp_path / "cache")
    assert [frames[i].maps.shape for i in range(2)] == [(48, 80, 4)] * 2
    assert all((frames[i].maps[..., [1, 3]] == 255).all() for i in range(2))
