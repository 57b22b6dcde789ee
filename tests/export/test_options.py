import pytest

from yolopv2.errors import YolopError
from yolopv2.export.options import FORMATS, Options
from yolopv2.inference import Thresholds


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"format": "tflite"}, "'tflite'; there are: onnx, openvino"),
        ({"format": ""}, "no format"),
        ({"format": "torchscript", "int8": True}, "torchscript cannot be written with int8: .*choose onnx or openvino"),
        ({"format": "torch-export", "int8": True}, "int8"),
        ({"format": "torch-export", "half": True}, "half"),
        ({"format": "torchscript", "nms": Thresholds()}, "nms"),
        ({"format": "torchscript", "dynamic": False}, "static"),
        ({"size": 100}, "100"),
        ({"size": 0}, "multiple of 32"),
        ({"nms": Thresholds(agnostic=True)}, "agnostic"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(asked: dict, told: str) -> None:
    with pytest.raises(YolopError, match=told):
        Options(**asked)


def test_float16_is_stored_where_the_format_can() -> None:
    assert {name: Options(name).precision for name in FORMATS} == {
        "onnx": "half",
        "openvino": "half",
        "torchscript": "float32",
        "torch-export": "float32",
    }
    assert Options(half=False).precision == "float32"
    assert Options(int8=True, half=True).precision == "int8"


@pytest.mark.parametrize(("size", "canvas"), [(640, (384, 640)), (160, (96, 160)), (32, (32, 32)), (1280, (736, 1280))])
def test_the_canvas_is_that_of_a_16_to_9_frame(size: int, canvas: tuple[int, int]) -> None:
    options = Options(size=size)
    assert options.canvas == canvas
    letterbox = options.fit(720, 1280, size)
    assert (letterbox.canvas_height, letterbox.canvas_width) == canvas


def test_a_static_export_takes_frames_of_every_shape_on_its_canvas() -> None:
    letterbox = Options(size=160, dynamic=False).fit(1280, 720, 160)
    assert (letterbox.canvas_height, letterbox.canvas_width) == (96, 160)


def test_files_of_different_kinds_have_different_names() -> None:
    asked = [Options(name) for name in FORMATS]
    asked += [Options(int8=True), Options(nms=Thresholds()), Options(int8=True, nms=Thresholds())]
    names = [options.file_name("nano") for options in asked]
    assert len(set(names)) == len(names)
    assert "nano.onnx" in names
