"""Graphs of weights, made once and kept."""

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

import yolopv2.export.kept as kept
from yolopv2 import YOLOPv2
from yolopv2.checkpoints.meta import CheckpointMeta
from yolopv2.checkpoints.weights import save_checkpoint


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


def test_it_is_made_once(nano_checkpoint, monkeypatch):
    first = kept.kept_graph(nano_checkpoint)
    monkeypatch.setattr(kept, "load_network", lambda weights: pytest.fail("made again"))
    assert kept.kept_graph(nano_checkpoint) == first


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
    assert kept.kept_graph(nano_checkpoint) is None
    assert "PyTorch" in repr(YOLOPv2(nano_checkpoint, device="cpu"))
