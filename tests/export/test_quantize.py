"""Eight bits: which layers, and what is put back into float when it costs too much."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from yolopv2 import YOLOPv2
from yolopv2.checkpoints import load_network, resolve
from yolopv2.export import quantize, run
from yolopv2.export.frames import generated_frames
from yolopv2.export.options import Options
from yolopv2.export.parity import Parity
from yolopv2.export.quantize import TARGET, TARGET_AGREEMENT, Trial, layer_groups, search
from yolopv2.inference.runtimes.openvino import openvino_core

GROUPS = ["encoder.stem", "encoder.stage2", "lanes.1", "lanes.9", "drivable.0", "detection.predict.0"]
NODES = [
    "/network/encoder/stem/stem.0/conv/Conv",
    "/network/encoder/stem/stem.1/conv/Conv",
    "/network/encoder/stage2/chain.0/conv/Conv/WithoutBiases",
    "/network/lanes/layers/layers.1/conv/Conv",
    "/network/lanes/layers/layers.9/conv/ConvTranspose",
    "/network/drivable/layers/layers.0/conv/Conv",
    "/network/detection/predict.0/Conv",
]


def model(names: list[str]) -> onnx.ModelProto:
    nodes = [onnx.helper.make_node("Conv", ["x"], ["y"], name=name) for name in names]
    return onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", [], []))


def test_groups_are_modules_and_each_pattern_takes_its_own_layers_only() -> None:
    import re

    assert layer_groups([*NODES, "/Sigmoid", "/Conv"]) == GROUPS
    for group in GROUPS:
        taken = [name for name in NODES if re.match(quantize._pattern(group), name)]
        assert layer_groups(taken) == [group]
    assert not re.match(quantize._pattern("lanes.1"), "/network/lanes/layers/layers.10/conv/Conv")
    assert all(re.match(quantize._NOT_THE_NETWORK, name) for name in ("/Sigmoid", "suppression/size"))
    assert not any(re.match(quantize._NOT_THE_NETWORK, name) for name in NODES)


def searched(
    monkeypatch: pytest.MonkeyPatch, costs: dict[str, dict[str, float]], labelled: bool = True, extra: tuple = ()
) -> tuple[Any, Any]:
    """A search in a world where each quantised group costs what it costs, and costs add up."""
    monkeypatch.setattr(quantize, "quantise", lambda model, canvases, floats: tuple(floats))

    def measure(floats: tuple[str, ...]) -> Parity:
        lost = {
            score: sum(cost for group, cost in by_group.items() if group not in floats)
            for score, by_group in costs.items()
        }
        scores = {score: 0.8 - value for score, value in lost.items()}
        if labelled:
            return Parity(1, "", {}, dict.fromkeys(costs, 1.0), dict.fromkeys(costs, 0.8), scores)
        return Parity(1, "", {}, {score: 1 - value for score, value in lost.items()}, {}, {})

    return search(model([*NODES, *extra]), [], measure)


def test_what_costs_nothing_is_quantised_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    floats, report = searched(monkeypatch, {"lane_iou": {"lanes.1": TARGET * 0.9}})
    assert floats == report.floats == ()
    assert len(report.trials) == 1
    assert report.reached


def test_the_layer_that_suffers_most_is_put_back_first_and_alone_if_that_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    costs = {"lane_iou": {"lanes.1": 0.008, "lanes.9": 0.03}, "ap50": {"detection.predict.0": 0.002}}
    floats, report = searched(monkeypatch, costs)
    assert floats == report.floats == ("lanes.9",)
    assert report.reached
    assert [trial.floats for trial in report.trials] == [(), ("lanes.1",), ("lanes.9",), ("lanes.9",)]


def test_heads_come_before_the_encoder_and_each_score_is_looked_after(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = {
        "lane_iou": {"lanes.1": 0.02, "encoder.stage2": 0.02},
        "drivable_iou": {"drivable.0": 0.05, "encoder.stage2": 0.001},
    }
    floats, report = searched(monkeypatch, costs)
    assert set(floats) == {"lanes.1", "drivable.0", "encoder.stage2"}
    assert floats[-1] == "encoder.stage2"
    assert report.reached
    assert not set(floats) & {"encoder.stem", "lanes.9"}


def test_what_cannot_be_reached_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    _, report = searched(monkeypatch, {"lane_iou": {"nowhere": 0.02, "lanes.1": 0.01}})
    assert not report.reached
    assert report.floats == ("lanes.1",)
    assert f"MORE than the {TARGET}" in report.lines[-1]
    assert "lanes.1" in report.lines[0]


def test_without_labels_agreement_is_aimed_at(monkeypatch: pytest.MonkeyPatch) -> None:
    _, report = searched(monkeypatch, {"lane_iou": {"lanes.1": TARGET_AGREEMENT * 0.9}}, labelled=False)
    assert (report.target, report.labelled, report.reached) == (TARGET_AGREEMENT, False, True)


def test_a_head_that_no_score_judges_stays_float(monkeypatch: pytest.MonkeyPatch) -> None:
    floats, _ = searched(monkeypatch, {}, extra=("/network/masks/layers/layers.0/conv/Conv",))
    assert floats == ("masks.0",)


def test_trials_are_told_in_words() -> None:
    assert "lane_iou 0.0300" in str(Trial((), {"lane_iou": 0.03}, labelled=True))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        run, "generated_frames", lambda count=2, calibration=False: generated_frames(2, calibration, height=180)
    )
    monkeypatch.setattr(quantize, "TARGET_AGREEMENT", 1.0)  # one trial


def test_an_openvino_model_in_8_bits(small: None, tmp_path: Path) -> None:
    network, meta = load_network(resolve("nano"))
    path = tmp_path / "nano-int8.xml"
    with pytest.warns(UserWarning, match="generated frames"):
        run.export(network, path, meta.to_dict(), Options("openvino", int8=True, size=320))
    assert path.with_suffix(".bin").stat().st_size < 3.5e6  # 2.5 million weights, a byte each
    kinds = path.read_text()
    assert kinds.count('type="FakeQuantize"') > 100
    taken = [
        {taker.get_node().get_type_name() for taker in layer.output(0).get_target_inputs()}
        for layer in openvino_core().read_model(path).get_ops()
        if layer.get_type_name() == "Sigmoid" and layer.get_friendly_name().startswith("/network/encoder/stage4")
    ]
    assert len(taken) > 5
    assert taken.count({"Multiply"}) == len(taken)  # SiLU stays whole, to be computed within the convolution
    frame = generated_frames(1, height=180).samples[0].image
    ours, theirs = (YOLOPv2(weights, size=320, precision="float32")(frame) for weights in (path, "nano"))
    assert (ours.drivable & theirs.drivable).sum() > 0.9 * (ours.drivable | theirs.drivable).sum()


@pytest.mark.slow
def test_an_onnx_graph_in_8_bits(small: None, tmp_path: Path) -> None:
    network, meta = load_network(resolve("nano"))
    path = tmp_path / "nano-int8.onnx"
    with pytest.warns(UserWarning, match="generated frames"):
        run.export(network, path, meta.to_dict(), Options("onnx", int8=True, size=320))
    graph = onnx.load(path).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    quantised = [node for node in graph.node if node.op_type == "QuantizeLinear"]
    assert len(quantised) > 50
    assert all(constants[node.input[2]].data_type == TensorProto.UINT8 for node in quantised)
    weights = [constants[n.input[0]] for n in graph.node if n.input[0] in constants and n.op_type == "DequantizeLinear"]
    assert all(weight.data_type == TensorProto.INT8 for weight in weights)
    assert path.stat().st_size < 3.5e6
    described = json.loads(next(each.value for each in onnx.load(path).metadata_props if each.key == "yolopv2"))
    assert described["export"]["int8"]["calibration"] == "2 frames, generated frames"
    frame = generated_frames(1, height=180).samples[0].image
    theirs = YOLOPv2("nano", size=320, precision="float32")(frame)
    for runtime in ("onnx", "openvino"):
        ours = YOLOPv2(path, size=320, runtime=runtime, precision="float32")(frame)
        assert (ours.drivable & theirs.drivable).sum() > 0.9 * (ours.drivable | theirs.drivable).sum()


def test_unsigned_activations_have_the_same_values() -> None:
    scale, zero = numpy_helper.from_array(np.float32(0.1), "s"), numpy_helper.from_array(np.int8(-7), "z")
    nodes = [
        onnx.helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        onnx.helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]
    ports = [onnx.helper.make_tensor_value_info(name, TensorProto.FLOAT, [50]) for name in ("x", "y")]
    graph = onnx.helper.make_graph(nodes, "g", ports[:1], ports[1:], [scale, zero])
    signed = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8)
    unsigned = onnx.ModelProto()
    unsigned.CopyFrom(signed)
    quantize._unsigned_activations(unsigned)
    assert unsigned.graph.initializer[1].data_type == TensorProto.UINT8
    import onnxruntime

    x = np.linspace(-20, 20, 50, dtype=np.float32)
    run_ = [
        onnxruntime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
        for m in (signed, unsigned)
    ]
    np.testing.assert_array_equal(*run_)
