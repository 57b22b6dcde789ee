"""The graph's suppression against the one of `to_vehicles`, in two engines."""

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from yolopv2.export.suppression import add_suppression
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference.postprocess import Thresholds, to_vehicles
from yolopv2.inference.runtimes.openvino import openvino_core

AXES = {
    "boxes": {0: "batch", 1: "anchors"},
    "scores": {0: "batch", 1: "anchors"},
    "extra": {0: "batch", 1: "anchors"},
    "plane": {0: "batch"},
}
CLASSES, HEIGHT, WIDTH = 3, 64, 96


def suppressed(thresholds: Thresholds) -> onnx.ModelProto:
    """A graph that gives what it is given, with suppression."""
    ports = {
        "boxes": ["batch", "anchors", 4],
        "scores": ["batch", "anchors", CLASSES],
        "extra": ["batch", "anchors", 2],
        "plane": ["batch", 5],
    }
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", "height", "width", 3])
    inputs = [helper.make_tensor_value_info(f"in_{k}", TensorProto.FLOAT, v) for k, v in ports.items()]
    outputs = [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in ports.items()]
    nodes = [helper.make_node("Identity", [f"in_{name}"], [name]) for name in ports]
    graph = helper.make_graph(nodes, "given", [image, *inputs], outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    result = add_suppression(model, thresholds, AXES)
    onnx.checker.check_model(result, full_check=True)
    return result


THRESHOLDS = Thresholds(conf=0.25, iou=0.5, max_det=6)
MODEL = suppressed(THRESHOLDS)
SESSION = onnxruntime.InferenceSession(MODEL.SerializeToString(), providers=["CPUExecutionProvider"])


def random_input(seed: int, batch: int, anchors: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    corner = rng.integers(-20, 90, (batch, anchors, 2))
    boxes = np.concatenate([corner, corner + rng.integers(-3, 60, (batch, anchors, 2))], -1)
    return {
        "image": np.zeros((batch, HEIGHT, WIDTH, 3), np.uint8),
        "in_boxes": boxes.astype(np.float32),
        "in_scores": rng.permutation(batch * anchors * CLASSES).reshape(batch, anchors, CLASSES).astype(np.float32)
        / (batch * anchors * CLASSES),
        "in_extra": rng.normal(size=(batch, anchors, 2)).astype(np.float32),
        "in_plane": rng.normal(size=(batch, 5)).astype(np.float32),
    }


def assert_as_to_vehicles(given: dict[str, np.ndarray], seen: dict[str, np.ndarray]) -> None:
    whole = Letterbox.into(HEIGHT, WIDTH, HEIGHT, WIDTH)  # the frame fills the canvas
    for row in range(len(given["image"])):
        vehicles = to_vehicles(given["in_boxes"][row], given["in_scores"][row], whole, THRESHOLDS)
        count = seen["count"][row]
        assert count == len(vehicles)
        np.testing.assert_array_equal(seen["boxes"][row, :count], vehicles.xyxy)
        np.testing.assert_array_equal(seen["scores"][row, :count], vehicles.confidence)
        np.testing.assert_array_equal(seen["class_ids"][row, :count], vehicles.class_id)
        assert not seen["boxes"][row, count:].any()
        assert not seen["scores"][row, count:].any()
        best = given["in_scores"][row].max(-1)
        anchors = [int(np.flatnonzero(best == score)[0]) for score in seen["scores"][row, :count]]
        np.testing.assert_array_equal(seen["extra"][row, :count], given["in_extra"][row, anchors])
    np.testing.assert_array_equal(seen["plane"], given["in_plane"])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), batch=st.integers(1, 3), anchors=st.integers(1, 40))
@example(seed=9, batch=1, anchors=4)  # has a score that equals the threshold
def test_the_graph_keeps_what_to_vehicles_keeps(seed: int, batch: int, anchors: int) -> None:
    given_ = random_input(seed, batch, anchors)
    names = [output.name for output in SESSION.get_outputs()]
    seen = dict(zip(names, SESSION.run(names, given_), strict=True))
    assert names == ["boxes", "scores", "class_ids", "count", "extra", "plane"]
    assert seen["boxes"].shape == (batch, min(THRESHOLDS.max_det, anchors), 4)
    assert_as_to_vehicles(given_, seen)


@pytest.mark.parametrize("anchors", [1, 5, 60])
def test_openvino_keeps_the_same(anchors: int) -> None:
    core = openvino_core()
    model = core.read_model(MODEL.SerializeToString())
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    given_ = random_input(anchors, 2, anchors)
    assert_as_to_vehicles(given_, {port.get_any_name(): value for port, value in compiled(given_).items()})
