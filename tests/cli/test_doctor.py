import sys

import numpy as np
import pytest

from yolopv2.checkpoints import catalogue


@pytest.mark.parametrize("bundled", [True, False])
def test_doctor_names_everything(cli, nano_graph, nano_checkpoint, tmp_path, monkeypatch, bundled):
    if bundled:
        (tmp_path / "nano.onnx").write_bytes(nano_graph.read_bytes())
        (tmp_path / "nano.safetensors").write_bytes(nano_checkpoint.read_bytes())
    monkeypatch.setattr(catalogue, "_BUNDLED", tmp_path)
    ran = cli("doctor")
    assert ran.code == (0 if bundled else 1)
    for word in ("yolopv2", "openvino", "processor", "float32", "torch", "onnxruntime", np.__version__):
        assert word in ran.out
    assert ("runs: OpenVINO" if bundled else "does not run") in ran.out
    assert ("ms each" in ran.out) == bundled


def test_doctor_says_what_a_missing_extra_brings(cli, tmp_path, monkeypatch):
    from yolopv2.cli import doctor

    monkeypatch.setattr(catalogue, "_BUNDLED", tmp_path)
    installed = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "torch" else installed(name))
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    told = cli("doctor").out
    assert 'pip install "yolopv2[torch]" brings GPUs' in told
    assert 'pip install "yolopv2[export]" brings' in told
    assert "onnxruntime" in told
