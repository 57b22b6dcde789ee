"""Graphs of weights, made once and kept."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

import yolopv2.export.kept as kept
from yolopv2 import YOLOPv2
from yolopv2.checkpoints.meta import CheckpointMeta
from yolopv2.checkpoints.weights import save_checkpoint
from yolopv2.errors import MissingExtra, YolopError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("YOLOPV2_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "graphs"


def test_a_checkpoint_sees_in_openvino_what_it_sees_in_pytorch(nano_checkpoint, pictures):
    options = {"size": 160, "device": "cpu", "precision": "float32", "heads": ["detection"], "classes": ["truck"]}
    quick = YOLOPv2(nano_checkpoint, **options)
    exact = YOLOPv2(nano_checkpoint, runtime="torch", **options)
    assert "OpenVINO" in repr(quick)
    assert "PyTorch" in repr(exact)
    ours, theirs = (model(pictures[0], conf=0.1, max_det=50) for model in (quick, exact))
    assert quick.names == exact.names == {0: "truck"}
    assert len(ours.vehicles) == len(theirs.vehicles) > 0
    np.testing.assert_allclose(ours.vehicles.xyxy, theirs.vehicles.xyxy, atol=0.05)


def test_it_is_made_once_which_is_said(nano_checkpoint, monkeypatch, capsys):
    first = kept.kept_graph(nano_checkpoint)
    assert capsys.readouterr().err == "making a graph of nano.safetensors for the CPU: some seconds, once\n"
    monkeypatch.setattr(kept, "load_network", lambda weights: pytest.fail("made again"))
    assert kept.kept_graph(nano_checkpoint) == first
    assert capsys.readouterr().err == ""


def test_a_damaged_one_is_made_anew(nano_checkpoint):
    path = kept.kept_graph(nano_checkpoint)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert kept.kept_graph(nano_checkpoint) == path
    assert path.read_bytes() == whole


def test_other_code_makes_another(nano_checkpoint, monkeypatch):
    first = kept.kept_graph(nano_checkpoint)
    monkeypatch.setattr(kept, "_code", lambda: ("another",))
    assert kept.kept_graph(nano_checkpoint) != first


def test_several_threads_make_one(nano_checkpoint, cache):
    with ThreadPoolExecutor(3) as pool:
        paths = set(pool.map(kept.kept_graph, [nano_checkpoint] * 3))
    assert set(cache.iterdir()) == paths
    assert len(paths) == 1


def test_other_weights_have_another(nano_checkpoint, network, tmp_path, cache):
    other = tmp_path / nano_checkpoint.name
    save_checkpoint(network, other, CheckpointMeta.of(network, ["car", "lorry"]))
    assert kept.kept_graph(other) != kept.kept_graph(nano_checkpoint)
    assert len(list(cache.iterdir())) == 2
    assert YOLOPv2(other, device="cpu").names == {0: "car", 1: "lorry"}


def test_the_least_recently_used_goes(nano_checkpoint, network, tmp_path, cache, monkeypatch):
    first = kept.kept_graph(nano_checkpoint)
    monkeypatch.setattr(kept, "LIMIT", first.stat().st_size * 3 // 2)
    other = tmp_path / "other.safetensors"
    save_checkpoint(network, other, CheckpointMeta.of(network, ["car", "lorry"]))
    second = kept.kept_graph(other)
    assert list(cache.iterdir()) == [second]


def test_where_nothing_can_be_kept_pytorch_runs_it(nano_checkpoint, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("YOLOPV2_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match=r"nano.safetensors runs in PyTorch.*cannot write.*a file where a folder"):
        assert "PyTorch" in repr(YOLOPv2(nano_checkpoint, device="cpu"))


def test_where_none_can_be_made_pytorch_runs_it(nano_checkpoint, monkeypatch):
    def fail(*_, **__):
        raise TypeError("export() got an unexpected keyword argument 'dynamo'")

    monkeypatch.setattr("torch.onnx.export", fail)
    with pytest.warns(UserWarning, match=r"nano.safetensors runs in PyTorch.*unexpected keyword"):
        assert "PyTorch" in repr(YOLOPv2(nano_checkpoint, device="cpu"))
    with pytest.warns(UserWarning, match="slower"), pytest.raises(YolopError, match="with 'yolopv2 export'"):
        YOLOPv2(nano_checkpoint, device="cpu", runtime="openvino")


def test_without_the_extra_pytorch_runs_it_unless_an_engine_is_asked_for(nano_checkpoint, monkeypatch):
    def fail(weights):
        raise MissingExtra("export", "Export")

    monkeypatch.setattr(kept, "kept_graph", fail)
    assert "PyTorch" in repr(YOLOPv2(nano_checkpoint, device="cpu"))
    with pytest.raises(MissingExtra, match="Export"):
        YOLOPv2(nano_checkpoint, device="cpu", runtime="openvino")


def test_damaged_weights_are_refused_as_ever(nano_checkpoint, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(nano_checkpoint.read_bytes()[:-100])
    with pytest.raises(YolopError, match=r"broken\.safetensors"):
        YOLOPv2(broken, device="cpu")
