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


def test_plain_onnxruntime(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from yolopv2 import YOLOPv2
    from yolopv2.data.synthetic import render_scene
    from yolopv2.media import write_image

    pytest.importorskip("onnx")
    write_image(tmp_path / "street.jpg", render_scene(119, height=180, width=320).image)
    graph = YOLOPv2("nano", size=320).export("onnx", tmp_path / "nano.onnx", nms=True, dynamic=False)
    load("plain_onnxruntime").main(str(graph), str(tmp_path / "street.jpg"), str(tmp_path / "seen.jpg"))
    assert "vehicle" in capsys.readouterr().out
    assert cv2.imread(str(tmp_path / "seen.jpg")).shape == (192, 320, 3)
