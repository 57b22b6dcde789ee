from pathlib import Path

from typer.testing import CliRunner

from yolopv2.cli.main import app
from yolopv2.model import YOLOPv2


def test_a_checkpoint_becomes_a_graph_that_sees_the_same(nano_checkpoint: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["export", str(nano_checkpoint), "--output", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert f"{tmp_path / 'nano.onnx'}" in done.output.replace("\n", "")
    assert YOLOPv2(tmp_path / "nano.onnx").names == YOLOPv2(nano_checkpoint).names


def test_formats_that_are_not_there_are_refused(nano_checkpoint: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["export", str(nano_checkpoint), "--format", "pdf", "--output", str(tmp_path)])
    assert "pdf" in str(done.exception)
    assert not list(tmp_path.iterdir())
