"""Whole runs: from a data set to a folder, through faults and back."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from yolopv2 import YOLOPv2
from yolopv2.checkpoints import read_meta
from yolopv2.data.synthetic import write_dataset
from yolopv2.errors import YolopError
from yolopv2.network import HEADS
from yolopv2.training.config import TrainConfig, make_config
from yolopv2.training.folder import RunFolder, free_folder
from yolopv2.training.run import train

SETTINGS = {
    "epochs": 2,
    "batch_size": 4,
    "nominal_batch": 4,
    "height": 64,
    "width": 96,
    "precision": "float32",
    "device": "cpu",
    "workers": 0,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("scenes"), {"train": 8, "val": 2}, seed=5, height=90, width=160)


def settings(**changes: Any) -> TrainConfig:
    return make_config(SETTINGS, changes)


def losses(folder: Path) -> list[dict[str, Any]]:
    return [entry for entry in RunFolder(folder).entries() if "losses" in entry]


def without_time(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in entry.items() if name != "images/s"} for entry in entries]


def test_a_run_is_a_folder_with_everything(data: Path, tmp_path: Path) -> None:
    best = train(data, settings(), tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    kept = {"config.yaml", "log.jsonl", "tensorboard", "curves.png", "state.pt", "last.safetensors", "best.safetensors"}
    assert names == kept | {"validation"}
    assert RunFolder(tmp_path / "run").read_config() == (data, replace(settings(), heads=HEADS))
    scored = [entry for entry in RunFolder(tmp_path / "run").entries() if "scores" in entry]
    assert [entry["epoch"] for entry in scored] == [1, 2]
    assert {"ap50", "drivable_iou", "lane_iou"} <= set(scored[0]["scores"])
    picture = cv2.imread(str(tmp_path / "run/validation/0002.jpg"))
    assert picture.shape == (2 * 360, 2 * 640, 3)
    assert cv2.imread(str(tmp_path / "run/curves.png")).std() > 5
    meta = read_meta(best)
    assert meta.training["epochs"] == 2
    assert meta.names == ("vehicle",)
    scene = YOLOPv2(best, size=96)(np.zeros((90, 160, 3), np.uint8))
    assert scene.drivable.shape == (90, 160)  # type: ignore[union-attr]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums in one order, here as in a process that is told so by OMP_NUM_THREADS."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
def test_a_run_killed_at_any_moment_goes_on_to_the_same_weights(data: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train(data, settings(epochs=3), whole)
    words = [f"{name}={value}" for name, value in SETTINGS.items()] + ["epochs=3", "save_every=0"]
    program = "from yolopv2.cli.main import main; main()"
    command = [sys.executable, "-c", program, "train", str(data), "--output", str(killed)]
    command += [word for setting in words for word in ("--set", setting)]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (killed / "state.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert torch.load(killed / "state.pt", weights_only=True)["step"] < 6, "killed too late to prove anything"
    with (killed / "log.jsonl").open("a") as file:
        file.write('{"step": 3, "lo')  # what a process leaves that is killed while it writes
    stored, config = RunFolder(killed).read_config()
    train(stored, config, killed, resume=True)
    state, expected = (torch.load(folder / "state.pt", weights_only=True) for folder in (killed, whole))
    assert state["step"] == expected["step"] == 6
    for name, value in expected["network"].items():
        assert torch.equal(state["network"][name], value), name


def test_going_on_from_the_same_state_is_equal_to_the_last_bit(data: Path, tmp_path: Path) -> None:
    train(data, settings(), tmp_path / "run")
    first = RunFolder(tmp_path / "run")
    state, entries = first.load_state(), without_time(losses(first.path))
    assert state["step"] == 4
    halfway: dict[str, Any] = {}

    class Halfway(RunFolder):
        def save_state(self, state: Any) -> None:
            halfway.setdefault("state", state)
            super().save_state(state)
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("yolopv2.training.run.RunFolder", Halfway)
        with pytest.raises(KeyboardInterrupt):
            train(data, settings(), tmp_path / "other")
    train(data, settings(), tmp_path / "other", resume=True)
    assert without_time(losses(tmp_path / "other")) == entries
    resumed = RunFolder(tmp_path / "other").load_state()
    for name, value in state["ema"].items():
        assert torch.equal(value, resumed["ema"][name]), name


def test_a_full_disk_stops_with_an_account_and_keeps_the_state_before(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path.write_bytes
    written = []

    def write(path: Path, content: bytes) -> int:
        if len(content) > 20_000_000:  # a state, which is larger than weights
            written.append(path)
            if len(written) == 2:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return whole(path, content)

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(YolopError, match=r"stopped at step 4: .*No space left.*go on with --resume"):
        train(data, settings(), tmp_path / "run")
    monkeypatch.undo()
    assert RunFolder(tmp_path / "run").load_state()["step"] == 2
    train(data, settings(), tmp_path / "run", resume=True)
    assert RunFolder(tmp_path / "run").load_state()["step"] == 4


def test_a_bad_picture_is_left_out_and_named(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "scenes", {"train": 4, "val": 1}, height=90, width=160)
    image = tmp_path / "scenes/images/train/000002.jpg"
    image.write_bytes(b"no picture")
    train(data, settings(epochs=1), tmp_path / "run")
    remarks = [entry["remark"] for entry in RunFolder(tmp_path / "run").entries() if "remark" in entry]
    assert [remark for remark in remarks if "left out a frame" in remark and "000002.jpg" in remark]


def test_tasks_nobody_labelled_are_told_of_once(tmp_path: Path) -> None:
    (tmp_path / "images/train").mkdir(parents=True)
    (tmp_path / "labels/train").mkdir(parents=True)
    for name in "abcd":
        cv2.imwrite(str(tmp_path / f"images/train/{name}.png"), np.zeros((64, 96, 3), np.uint8))
        (tmp_path / f"labels/train/{name}.txt").write_text("1 0.5 0.5 0.3 0.4\n")
    data = tmp_path / "data.yaml"
    data.write_text("format: yolo\nsplits: {train: train}\nclasses: [car, person]\n")
    best = train(data, settings(), tmp_path / "run")
    remarks = [entry["remark"] for entry in RunFolder(tmp_path / "run").entries() if "remark" in entry]
    assert [remark.startswith("No labels for drivable, lanes") for remark in remarks].count(True) == 1
    assert "no split 'val'" in remarks[-1]
    assert all(entry["losses"]["drivable"] == 0 for entry in losses(tmp_path / "run"))
    assert read_meta(best).names == ("car", "person")


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(YolopError, match="holds no run"):
        RunFolder(tmp_path).read_config()


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.pt").write_bytes(b"PK\x03\x04 not a state")
    with pytest.raises(YolopError, match=r"state\.pt cannot be read"):
        RunFolder(tmp_path).load_state()


def test_free_folders_are_numbered(tmp_path: Path) -> None:
    for expected in ("train", "train-2", "train-3"):
        folder = free_folder(tmp_path, "train")
        assert folder.name == expected
        folder.mkdir()


def test_the_log_forgets_what_will_be_done_again(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for step in (1, 2, 3):
        folder.log({"step": step})
    folder.forget_after(2)
    assert [entry["step"] for entry in folder.entries()] == [1, 2]
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1]) == {"step": 2}
