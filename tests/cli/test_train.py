from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from yolopv2.data.synthetic import write_dataset
from yolopv2.training.folder import RunFolder

QUICK = ("--size", "96x64", "--epochs", "1", "--batch-size", "4", "--workers", "0", "--device", "cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("scenes"), {"train": 4, "val": 1}, height=90, width=160)


def test_a_data_set_becomes_a_model(cli: Callable[..., Any], data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    ran = cli("train", data, "--output", run, *QUICK, "--weights", "nano", "--freeze", "encoder", "--set", "loss.box=2")
    assert ran.code == 0, ran.err
    assert str(run / "best.safetensors") in ran.out
    assert "round 1: ap50" in ran.err
    stored = yaml.safe_load((run / "config.yaml").read_text())
    assert (stored["weights"], stored["freeze"], stored["loss"]["box"]) == ("nano", ["encoder"], 2.0)
    again = cli("train", data, "--output", run, *QUICK)
    assert again.code == 2
    assert "--resume" in again.err
    resumed = cli("train", "--resume", run)
    assert resumed.code == 0, resumed.err


def test_a_stored_configuration_is_a_configuration(cli: Callable[..., Any], data: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("epochs: 1\nloss: {lane_tversky: 0.5}\n")
    quick = [*QUICK, "--output", tmp_path / "run", "--config", tmp_path / "mine.yaml"]
    assert cli("train", data, *quick).code == 0
    assert yaml.safe_load((tmp_path / "run/config.yaml").read_text())["loss"]["lane_tversky"] == 0.5
    stored = tmp_path / "run/config.yaml"
    assert cli("train", data, "--output", tmp_path / "again", "--config", stored).code == 0
    assert (tmp_path / "again/config.yaml").read_text() == stored.read_text()


def test_ctrl_c_says_how_to_go_on(
    cli: Callable[..., Any], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunFolder, "save_state", interrupt_after(RunFolder.save_state))
    run = tmp_path / "run"
    ran = cli("train", data, "--output", run, *QUICK, "--epochs", "3")
    assert ran.code == 130
    assert f"yolopv2 train --resume {run}" in ran.err
    monkeypatch.undo()
    assert cli("train", "--resume", run).code == 0


def interrupt_after(method: Callable[..., None]) -> Callable[..., None]:
    """Ctrl-C, pressed in the moment after the state was kept."""

    def interrupted(self: RunFolder, *args: Any) -> None:
        method(self, *args)
        raise KeyboardInterrupt

    return interrupted


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Name the YAML"),
        (["data.yaml", "--set", "epoch=3"], "perhaps 'epochs' is meant"),
        (["data.yaml", "--set", "epochs"], "name=value"),
        (["data.yaml", "--size", "100x100"], "multiple of 32"),
        (["data.yaml", "--weights", "nowhere.safetensors"], "There is no data.yaml"),
        (["data.yaml", "--resume", "run"], "nothing else"),
        (["--resume", "nowhere"], "holds no run"),
        (["data.yaml", "--config", "nowhere.yaml"], "cannot be read"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = cli("train", *words)
    assert ran.code == 2
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert not list(tmp_path.iterdir())
