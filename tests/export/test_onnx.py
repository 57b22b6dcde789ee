"""The ONNX file is the deployed network: same outputs in both engines, at any batch and size."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import openvino
import pytest
import torch

from yolopv2.checkpoints.meta import METADATA_KEY
from yolopv2.errors import YolopError
from yolopv2.export.onnx import export_onnx
from yolopv2.network import HEADS, Network
from yolopv2.network.deployed import DeployedNetwork
from yolopv2.network.network import calibrate

METADATA = {"format": 1, "variant": "nano", "names": {"0": "vehicle"}}


def network(**options) -> Network:
    torch.manual_seed(0)
    net = Network("nano", **options)
    calibrate(net)
    return net.eval()


def rounded_weights(deployed: DeployedNetwork) -> DeployedNetwork:
    """The same network with the weights that a float16 file holds."""
    for parameter in deployed.parameters():
        if parameter.ndim > 1:
            parameter.data = parameter.data.half().float()
    return deployed


def run_onnxruntime(path: Path, image: np.ndarray) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": image}), strict=True))


def run_openvino(path: Path, image: np.ndarray) -> dict[str, np.ndarray]:
    compiled = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    return {port.get_any_name(): value for port, value in compiled({"image": image}).items()}


def assert_same(expected: DeployedNetwork, outputs: dict[str, np.ndarray], image: np.ndarray) -> None:
    with torch.inference_mode():
        reference = dict(zip(expected.output_names, expected(torch.from_numpy(image)), strict=True))
    assert set(outputs) == set(reference)
    for name, value in reference.items():
        want, got = value.numpy(), outputs[name]
        assert got.dtype == want.dtype
        assert got.shape == want.shape
        if want.dtype == np.uint8:
            assert np.abs(got.astype(int) - want).max() <= 1  # a value on the edge between two bytes
            assert np.mean(got != want) < 1e-3
        else:
            np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-3 if name == "boxes" else 1e-5)


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> tuple[Path, DeployedNetwork]:
    path = tmp_path_factory.mktemp("onnx") / "nano.onnx"
    net = network(classes=3)
    export_onnx(net, path, METADATA)
    return path, rounded_weights(DeployedNetwork(net)).eval()


@pytest.mark.parametrize("run", [run_onnxruntime, run_openvino])
@pytest.mark.parametrize(("batch", "height", "width"), [(1, 64, 96), (3, 160, 64), (1, 384, 640), (1, 32, 32)])
def test_outputs_equal_eager(exported, run, batch, height, width):
    path, deployed = exported
    image = np.random.default_rng(batch).integers(0, 256, (batch, height, width, 3), dtype=np.uint8)
    assert_same(deployed, run(path, image), image)


@pytest.mark.parametrize(
    ("heads", "encoder"), [(("detection",), "elan"), (("drivable",), "elan"), (("lanes",), "e-elan")]
)
def test_subsets_of_heads(tmp_path, heads, encoder):
    net = network(classes=1, heads=heads, encoder=encoder)
    export_onnx(net, tmp_path / "some.onnx", METADATA, half_weights=False)
    image = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    assert_same(DeployedNetwork(net), run_onnxruntime(tmp_path / "some.onnx", image), image)


def test_interface_and_metadata(exported):
    path, _ = exported
    model = onnx.load(path)
    shapes = {
        port.name: [d.dim_param or d.dim_value for d in port.type.tensor_type.shape.dim]
        for port in [*model.graph.input, *model.graph.output]
    }
    assert shapes == {
        "image": ["batch", "height", "width", 3],
        "boxes": ["batch", "anchors", 4],
        "scores": ["batch", "anchors", 3],
        "drivable": ["batch", "height", "width"],
        "lanes": ["batch", "height", "width"],
    }
    assert {p.key: json.loads(p.value) for p in model.metadata_props} == {METADATA_KEY: METADATA}


def test_half_weights_halve_the_file(exported, tmp_path):
    path, _ = exported
    export_onnx(network(classes=3), tmp_path / "full.onnx", METADATA, half_weights=False)
    assert path.stat().st_size < 0.55 * (tmp_path / "full.onnx").stat().st_size
    assert path.stat().st_size < 6e6


def test_the_network_is_left_as_it_was(tmp_path):
    net = network(heads=HEADS[1:]).half().train()
    export_onnx(net, tmp_path / "x.onnx", METADATA)
    assert net.training
    assert all(p.dtype == torch.float16 for p in net.parameters())


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(YolopError, match="file"):
        export_onnx(network(heads=["lanes"]), tmp_path / "file" / "x.onnx", METADATA)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
