"""Importing costs nothing until it is used, and nothing reports to anyone."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "openvino", "cv2", "av", "numpy", "pydantic", "onnxruntime")


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_importing_the_package_imports_no_heavy_library():
    found = run(f"import sys, yolopv2; print(yolopv2.__version__, [m for m in {HEAVY} if m in sys.modules])")
    assert found.endswith(" []\n")


def test_importing_and_help_are_quick():
    # Seconds of this process's own computing: the clock would measure the neighbours too.
    code = "import time; {}; print(time.process_time())"
    assert float(run(code.format("import yolopv2"))) < 0.5
    shown = run(
        "import sys, time; sys.argv = ['yolopv2', '--help']\n"
        "from yolopv2.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n"
        f"    print(time.process_time(), [m for m in {HEAVY} if m in sys.modules])"
    )
    seconds, _, loaded = shown.splitlines()[-1].partition(" ")
    assert "predict" in shown
    assert float(seconds) < 0.5
    assert loaded == "[]"


def test_the_face():
    import yolopv2

    assert set(yolopv2.__all__) <= set(dir(yolopv2))
    assert yolopv2.Scene.__module__ == "yolopv2.scene.scene"
    with pytest.raises(AttributeError, match="nothing"):
        yolopv2.nothing  # noqa: B018


def test_openvino_is_imported_without_its_telemetry():
    code = (
        "import sys; from yolopv2.inference.runtimes.openvino import openvino_library; openvino_library()\n"
        "print([m for m in sys.modules if m.startswith(('openvino_telemetry', 'openvino.tools.ovc'))])\n"
        "from openvino.tools.ovc import convert_model"  # who needs the converter can still import it
    )
    assert run(code) == "[]\n"


def test_the_first_frame_needs_no_library_that_is_slow_to_import():
    code = (
        "import sys, numpy as np; from yolopv2 import YOLOPv2; YOLOPv2('nano')(np.zeros((90, 160, 3), np.uint8))\n"
        "print([m for m in ('torch', 'av', 'pydantic', 'pooch', 'onnx', 'absl') if m in sys.modules])"
    )
    assert run(code) == "[]\n"
