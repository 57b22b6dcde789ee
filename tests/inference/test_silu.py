"""SiLU as a polynomial against SiLU, in the engine."""

import cv2
import numpy as np
import pytest

from yolopv2.checkpoints.catalogue import bundled_graph
from yolopv2.data.synthetic import render_scene
from yolopv2.inference.runtimes.openvino import OpenVinoRuntime, cpu_precisions, openvino_core, openvino_library
from yolopv2.inference.runtimes.silu import polynomial_silu


@pytest.fixture
def opset():
    return openvino_library().opset13


def seen(model, x: np.ndarray) -> np.ndarray:
    compiled = openvino_core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(x[None])[0][0]


@pytest.mark.parametrize("gate_first", [False, True])
def test_it_stays_within_what_it_says(opset, gate_first):
    x = np.concatenate([np.linspace(-12, 12, 48001), [-1e4, -60, 0, 60, 1e4]]).astype(np.float32)
    given = opset.parameter([1, len(x)], np.float32)
    gate = opset.sigmoid(given)
    product = opset.multiply(gate, given) if gate_first else opset.multiply(given, gate)
    model = openvino_library().Model([product], [given])
    assert polynomial_silu(model, opset, least=len(x)) == 1
    assert not [op for op in model.get_ops() if op.get_type_name() == "Sigmoid"]
    exact = x / (1 + np.exp(-np.clip(x.astype(np.float64), -700, 700)))
    error = np.abs(seen(model, x) - exact)
    assert 1e-5 < error[np.abs(x) <= 12].max() < 0.003  # so it is the polynomial that ran
    assert error[np.abs(x) < 5].max() < 0.001
    assert (error <= 1e-6 * np.abs(x))[np.abs(x) > 50].all()


def test_a_sigmoid_of_something_else_stays(opset):
    x, other = (opset.parameter([1, 4], np.float32) for _ in range(2))
    model = openvino_library().Model([opset.multiply(x, opset.sigmoid(other))], [x, other])
    assert polynomial_silu(model, opset, least=1) == 0


def test_small_layers_stay(opset):
    x = opset.parameter([1, 4], np.float32)
    model = openvino_library().Model([opset.multiply(x, opset.sigmoid(x))], [x])
    assert polynomial_silu(model, opset, least=5) == 0
    assert polynomial_silu(model, opset, least=4) == 1


def test_a_graph_in_8_bits_stays(opset):
    x = opset.parameter([1, 4], np.float32)
    rounded = opset.fake_quantize(x, *np.float32([0, 1, 0, 1]), 256)
    model = openvino_library().Model([opset.multiply(rounded, opset.sigmoid(rounded))], [x])
    assert polynomial_silu(model, opset, least=1) == 0


@pytest.mark.skipif("bfloat16" not in cpu_precisions(), reason="this processor does not compute in bfloat16")
def test_it_adds_less_than_rounding_to_bfloat16_does(monkeypatch):
    """Errors against float32, with the polynomial and with the engine's own."""
    canvas = cv2.resize(render_scene(3).image, (640, 384))[None]
    graph = bundled_graph("nano")

    def look(precision: str):
        return OpenVinoRuntime(graph, precision)(canvas)

    exact, with_polynomial = look("float32"), look("bfloat16")
    monkeypatch.setattr("yolopv2.inference.runtimes.openvino.platform.machine", lambda: "something else")
    own = look("bfloat16")
    assert (with_polynomial.boxes != own.boxes).any()
    for name in ("boxes", "scores", "drivable", "lanes", "coefficients", "prototypes"):
        truth = getattr(exact, name).astype(np.float64)
        errors = [np.abs(getattr(candidates, name) - truth).mean() for candidates in (with_polynomial, own)]
        assert errors[0] < 2 * errors[1], name
