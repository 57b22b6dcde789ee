"""A checkpoint gives back what was saved, exactly, and refuses everything else with all there is to say."""

import contextlib
import json
import pickle
import struct

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.checkpoints import CheckpointMeta, file_kind, load_network, read_meta
from yolopv2.checkpoints.meta import FORMAT, METADATA_KEY
from yolopv2.checkpoints.weights import load_checkpoint, save_checkpoint
from yolopv2.errors import YolopError
from yolopv2.network import COCO_ANCHORS, Network, fuse
from yolopv2.network.network import calibrate


def network(**options) -> Network:
    options = {"variant_name": "nano", "heads": ["lanes"], "classes": 1, **options}
    net = Network(**options)
    calibrate(net)
    return net.eval()


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> tuple[Network, bytes]:
    net = network()
    path = tmp_path_factory.mktemp("saved") / "x.safetensors"
    save_checkpoint(net, path, CheckpointMeta.of(net))
    return net, path.read_bytes()


def edited(data: bytes, change) -> bytes:
    """The file with its header changed by ``change(header)``."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def described(data: bytes, **changes) -> bytes:
    """The file with its description changed."""

    def change(header):
        meta = json.loads(header["__metadata__"][METADATA_KEY])
        header["__metadata__"][METADATA_KEY] = json.dumps({**meta, **changes})

    return edited(data, change)


@pytest.mark.parametrize("deployed", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"heads": ["detection", "drivable", "lanes"], "classes": 3},
        {"heads": ["drivable"], "encoder": "e-elan"},
        {"heads": ["detection"], "variant_name": "small", "anchors": [[(1.1, 2.7)] * 3, [(3, 4)] * 3, [(5, 6)] * 3]},
    ],
)
def test_round_trip_is_exact(tmp_path, options, deployed):
    net = network(**options)
    net = fuse(net) if deployed else net
    meta = CheckpointMeta.of(net, provenance={"data": "none"}, training={"lr": 0.1}, metrics={"ap50": 0.5})
    save_checkpoint(net, tmp_path / "x.safetensors", meta)
    loaded, read = load_checkpoint(tmp_path / "x.safetensors")
    assert read == meta == read_meta(tmp_path / "x.safetensors")
    assert read.form == ("deployed" if deployed else "training")
    assert not loaded.training
    assert loaded.state_dict().keys() == net.state_dict().keys()
    for name, tensor in net.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_half_storage_rounds_weights_only(tmp_path):
    net = network(heads=["detection"], anchors=[[(1.1, 2.7)] * 3] * 3)
    save_checkpoint(net, tmp_path / "full", CheckpointMeta.of(net))
    save_checkpoint(net, tmp_path / "half", CheckpointMeta.of(net), storage="float16")
    assert (tmp_path / "half").stat().st_size < 0.55 * (tmp_path / "full").stat().st_size
    loaded = load_checkpoint(tmp_path / "half")[0].state_dict()
    for name, tensor in net.state_dict().items():
        rounded = tensor.ndim > 1 and name != "anchors"
        assert torch.equal(loaded[name], tensor.half().float() if rounded else tensor), name


def test_a_loaded_network_can_be_trained(saved, tmp_path):
    (tmp_path / "x").write_bytes(saved[1])
    net = load_network(tmp_path / "x")[0].train()
    net(torch.rand(2, 3, 32, 64)).lanes.mean().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_every_wrong_tensor_is_named(saved, tmp_path):
    net, data = saved
    state = safetensors.torch.load(data)
    first, second, third = list(state)[:3]
    del state[first], state[second]
    state[third] = torch.zeros(1, 2, 3)
    state["stranger"] = torch.zeros(1)
    meta = {METADATA_KEY: CheckpointMeta.of(net).model_dump_json()}
    (tmp_path / "x").write_bytes(safetensors.torch.save(state, meta))
    with pytest.raises(YolopError) as refusal:
        load_checkpoint(tmp_path / "x")
    message = str(refusal.value)
    assert "missing (2)" in message
    assert all(name in message for name in (first, second))
    assert "unexpected (1): stranger" in message
    assert f"misshapen (1): {third} is [1, 2, 3] instead of" in message


def test_a_description_of_another_network_is_not_saved(tmp_path):
    with pytest.raises(YolopError, match="does not fit its description"):
        save_checkpoint(network(heads=["drivable"]), tmp_path / "x", CheckpointMeta.of(network()))
    with pytest.raises(YolopError, match="1 classes, but 2 names"):
        CheckpointMeta.of(network(), names=["a", "b"])
    net = network()
    net.lanes.layers[1].conv.weight.data[0] = 1e6
    with pytest.raises(YolopError, match="too large for float16"):
        save_checkpoint(net, tmp_path / "x", CheckpointMeta.of(net), storage="float16")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": FORMAT + 1}, "pip install --upgrade"),
        ({"format": "two"}, "at 'format'"),
        ({"variant": "huge"}, "No variant is called 'huge'"),
        ({"variant": None}, "at 'variant'"),
        ({"heads": ["tail"]}, "Unknown or no heads"),
        ({"heads": []}, "Unknown or no heads"),
        ({"encoder": "x"}, "No encoder"),
        ({"form": "liquid"}, "at 'form'"),
        ({"names": 5}, "at 'names'"),
        ({"names": ["x"] * 100_000, "heads": ["detection"]}, "missing"),
        ({"anchors": [[[1, 2]]]}, "three anchors"),
        ({"anchors": "x"}, "at 'anchors'"),
    ],
)
def test_wrong_descriptions(saved, tmp_path, change, message):
    (tmp_path / "x").write_bytes(described(saved[1], **change))
    with pytest.raises(YolopError, match=message):
        load_checkpoint(tmp_path / "x")


def _set(key, value):
    return lambda header: header.__setitem__(key, value)


@pytest.mark.parametrize(
    ("hostile", "message"),
    [
        (lambda data: b"", "no|kind"),
        (lambda data: data[:6], "kind|no safetensors"),
        (lambda data: data[:1000], "no safetensors file, or only a part"),
        (lambda data: data[:-100], "its header promises"),
        (lambda data: data + b"more", "its header promises"),
        (lambda data: b"\xff" * 7 + b"\x7f" + data[8:], "no safetensors file"),
        (lambda data: struct.pack("<Q", 50) + b"{" * 50, "not JSON"),
        (lambda data: struct.pack("<Q", 200_000) + b'{"a":' * 40_000, "not JSON"),
        (lambda data: pickle.dumps({"a": 1}), "pickle, which could run any code"),
        (lambda data: edited(data, lambda header: header.clear()), "promises"),
        (lambda data: edited(data, lambda header: header.pop("__metadata__")), "without a description"),
        (lambda data: edited(data, _set("__metadata__", {METADATA_KEY: "{"})), "not JSON"),
        (lambda data: edited(data, _set("__metadata__", {METADATA_KEY: "[]"})), "damaged"),
        (lambda data: edited(data, _set("__metadata__", "x")), "without a description"),
        (lambda data: edited(data, _set("a", 1)), "lists no tensors"),
        (lambda data: edited(data, lambda h: h[next(iter(h.keys() - {"__metadata__"}))].update(dtype="X9")), "damaged"),
    ],
)
def test_hostile_files(saved, tmp_path, hostile, message):
    (tmp_path / "x").write_bytes(hostile(saved[1]))
    with pytest.raises(YolopError, match=message):
        load_network(tmp_path / "x")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_flipped_bytes_never_give_a_traceback(saved, tmp_path_factory, data):
    length = struct.unpack("<Q", saved[1][:8])[0]
    position = data.draw(st.integers(0, 8 + length - 1))
    spoilt = bytearray(saved[1])
    spoilt[position] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "spoilt"
    path.write_bytes(spoilt)
    with contextlib.suppress(YolopError):
        load_network(path)


def test_kinds_of_files(saved, tmp_path):
    (tmp_path / "x.bin").write_bytes(saved[1])
    assert file_kind(tmp_path / "x.bin") == "safetensors"
    torch.save({"a": torch.zeros(3)}, tmp_path / "plain.pt")
    with pytest.raises(YolopError, match="plain PyTorch file"):
        load_network(tmp_path / "plain.pt")
    (tmp_path / "half.pt").write_bytes((tmp_path / "plain.pt").read_bytes()[:500])
    with pytest.raises(YolopError, match="the end is missing"):
        load_network(tmp_path / "half.pt")
    (tmp_path / "x.onnx").write_bytes(b"\x08\x08rest of it")
    assert file_kind(tmp_path / "x.onnx") == "onnx"
    with pytest.raises(YolopError, match=r"needs the \.safetensors"):
        load_network(tmp_path / "x.onnx")
    for missing in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(YolopError, match="Cannot read"):
            file_kind(missing)


def test_nothing_is_left_when_a_write_fails(tmp_path):
    (tmp_path / "taken").mkdir()
    net = network()
    with pytest.raises(YolopError, match="taken"):
        save_checkpoint(net, tmp_path / "taken", CheckpointMeta.of(net))
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_meta_in_json():
    meta = CheckpointMeta.of(network(classes=3), metrics={"x": float("nan")})
    assert json.loads(json.dumps(meta.to_dict(), allow_nan=False))["metrics"] == {"x": None}
    assert meta.to_dict()["names"] == ["class 0", "class 1", "class 2"]
    assert meta.names_by_id == {0: "class 0", 1: "class 1", 2: "class 2"}
    assert meta.anchors == COCO_ANCHORS
