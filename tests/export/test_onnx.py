"""The ONNX file is the deployed network: same outputs in both engines, at any batch and size."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from yolopv2.checkpoints.meta import METADATA_KEY
from yolopv2.errors import YolopError
from yolopv2.export.formats import OnnxForm
from yolopv2.export.graph import to_graph
from yolopv2.export.onnx import export_onnx
from yolopv2.inference.runtimes.openvino import openvino_core
from yolopv2.network import HEADS, Network
from yolopv2.network.deployed import DeployedNetwork
from yolopv2.network.network import calibrate

METADATA = {"format": 1, "variant": "nano", "names": ["car", "bus", "truck"]}


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
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = openvino_core().compile_model(path, "CPU", settings)
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
    deployed = DeployedNetwork(network(classes=3)).eval()
    OnnxForm(to_graph(deployed), half=True).save(path, METADATA)
    return path, rounded_weights(deployed)


@pytest.mark.parametrize("run", [run_onnxruntime, run_openvino])
@pytest.mark.parametrize(("batch", "height", "width"), [(1, 64, 96), (3, 160, 64), (1, 384, 640), (1, 32, 32)])
def test_outputs_equal_eager(exported, run, batch, height, width):
    path, deployed = exported
    image = np.random.default_rng(batch).integers(0, 256, (batch, height, width, 3), dtype=np.uint8)
    assert_same(deployed, run(path, image), image)


@pytest.mark.parametrize("run", [run_onnxruntime, run_openvino])
@pytest.mark.parametrize(
    ("heads", "encoder"), [(("detection",), "elan"), (("drivable",), "elan"), (("lanes",), "e-elan")]
)
def test_subsets_of_heads_on_one_canvas(tmp_path, run, heads, encoder):
    deployed = DeployedNetwork(network(classes=1, heads=heads, encoder=encoder)).eval()
    OnnxForm(to_graph(deployed, (64, 96)), half=False).save(tmp_path / "some.onnx", METADATA)
    image = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)
    assert_same(deployed, run(tmp_path / "some.onnx", image), image)


def shapes(model: onnx.ModelProto) -> dict[str, list[str | int]]:
    return {
        port.name: [d.dim_param or d.dim_value for d in port.type.tensor_type.shape.dim]
        for port in [*model.graph.input, *model.graph.output]
    }


def test_interface_and_metadata(exported):
    path, _ = exported
    model = onnx.load(path)
    assert shapes(model) == {
        "image": ["batch", "height", "width", 3],
        "boxes": ["batch", "anchors", 4],
        "scores": ["batch", "anchors", 3],
        "drivable": ["batch", "height", "width"],
        "lanes": ["batch", "height", "width"],
    }
    assert {p.key: json.loads(p.value) for p in model.metadata_props} == {METADATA_KEY: METADATA}


def test_a_static_graph_has_no_free_side_and_nothing_left_to_compute_from_shapes(exported):
    path, deployed = exported
    static = to_graph(deployed, (96, 160))
    anchors = 3 * (12 * 20 + 6 * 10 + 3 * 5)
    assert shapes(static) == {
        "image": [1, 96, 160, 3],
        "boxes": [1, anchors, 4],
        "scores": [1, anchors, 3],
        "drivable": [1, 96, 160],
        "lanes": [1, 96, 160],
    }
    kinds = {node.op_type for node in static.graph.node}
    assert not kinds & {"Shape", "Range", "Constant", "Expand"}
    assert {node.domain for node in static.graph.node} == {""}
    assert len(static.graph.node) < len(onnx.load(path).graph.node)


def test_half_weights_halve_the_file(exported, tmp_path):
    path, deployed = exported
    OnnxForm(to_graph(deployed), half=False).save(tmp_path / "full.onnx", METADATA)
    assert path.stat().st_size < 0.55 * (tmp_path / "full.onnx").stat().st_size
    assert path.stat().st_size < 6e6


def test_the_network_is_left_as_it_was(tmp_path):
    net = network(heads=HEADS[1:]).half().train()
    export_onnx(net, tmp_path / "x.onnx", {"names": []})
    assert net.training
    assert all(p.dtype == torch.float16 for p in net.parameters())


def test_a_folder_that_cannot_be_written_is_named_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("yolopv2.export.run.Reference", None)
    (tmp_path / "file").write_text("")
    with pytest.raises(YolopError, match="file"):
        export_onnx(network(heads=["lanes"]), tmp_path / "file" / "x.onnx", METADATA)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
