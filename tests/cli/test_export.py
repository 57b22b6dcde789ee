from pathlib import Path

import pytest
from typer.testing import CliRunner

from yolopv2.cli.main import app
from yolopv2.export import run
from yolopv2.export.frames import generated_frames
from yolopv2.model import YOLOPv2


@pytest.fixture(autouse=True)
def few_small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        run, "generated_frames", lambda count=2, calibration=False: generated_frames(2, calibration, height=90)
    )


def test_weights_become_a_file_that_sees_the_same_and_the_table_is_printed(tmp_path: Path) -> None:
    words = ["export", "nano", "--format", "openvino", "--size", "160", "--nms", "--output", str(tmp_path / "new")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    path = tmp_path / "new" / "nano-nms.xml"
    assert f"{path} (" in done.output.replace("\n", "")
    assert "lane_iou" in done.output
    assert YOLOPv2(path).names == YOLOPv2("nano").names


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--format", "pdf"], "pdf"),
        (["--format", "torchscript", "--int8"], "torchscript cannot be written with int8"),
        (["--size", "100"], "multiple of 32"),
        (["--data", "nowhere.yaml"], "nowhere.yaml"),
        (["--nms", "--conf", "2"], "conf"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(tmp_path: Path, words: list[str], told: str) -> None:
    done = CliRunner().invoke(app, ["export", "nano", "--output", str(tmp_path), *words])
    assert done.exit_code != 0
    assert told in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_an_exported_file_cannot_be_exported_again(nano_graph: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["export", str(nano_graph), "--output", str(tmp_path)])
    assert "safetensors" in str(done.exception)
