"""yolopv2 studio: what it says before it serves."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("uvicorn", reason="the studio needs the extra 'studio'")

from yolopv2.cli.main import app, main
from yolopv2.ikomia.registry import TASKS

EXAMPLE = Path(__file__).parents[2] / "examples" / "blur_task.py"


def test_tasks_of_ones_own_are_named_and_offered(monkeypatch):
    monkeypatch.setitem(TASKS, "blur", TASKS["draw"])  # taken away again at the end
    offered = []
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: offered.extend(TASKS))
    told = CliRunner().invoke(app, ["studio", "--port", "0", "--no-browser", "--tasks", str(EXAMPLE)])
    assert told.exit_code == 0, told.output
    assert f"Tasks of {EXAMPLE}: blur" in told.output
    assert "blur" in offered
    assert TASKS["blur"].__name__ == "Blur"


def test_a_file_without_tasks_is_refused_before_anything_is_served(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("uvicorn.Server.run", None)
    (tmp_path / "none.py").write_text("x = 1\n")
    monkeypatch.setattr("sys.argv", ["yolopv2", "studio", "--no-browser", "--tasks", str(tmp_path / "none.py")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "defines no task" in capsys.readouterr().err
