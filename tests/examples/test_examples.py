import importlib.util
from pathlib import Path
from types import ModuleType

import cv2
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_picture(tmp_path: Path) -> None:
    load("readme_picture").main(tmp_path / "scene.jpg")
    assert cv2.imread(str(tmp_path / "scene.jpg")).shape == (720, 2560, 3)


def test_following_a_drive(capsys: pytest.CaptureFixture[str]) -> None:
    load("follow_a_drive").main(frames=3)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all("drivable" in line for line in lines)
