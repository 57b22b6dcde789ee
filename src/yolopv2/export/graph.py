"""The network as an ONNX graph: bytes in, candidates out."""

import io
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from yolopv2.network.deployed import DeployedNetwork

OPSET = 18

_TRACED = (1, 64, 96)
_OTHER = (2, 96, 160)
"""Batch, height and width of two inputs; where outputs differ in shape between them, their shape is free."""


def to_graph(deployed: DeployedNetwork, canvas: tuple[int, int] | None = None) -> onnx.ModelProto:
    """Traces a network and folds what is constant.

    PyTorch's newer exporter (``dynamo=True``) gives the same operations, takes forty times as long, needs onnxscript
    and differs between the versions of PyTorch we support.

    Args:
        deployed: The network, float32, on the CPU.
        canvas: Height and width, for a graph that takes one canvas of this size only.

    Returns:
        A graph that takes ``image``, uint8 ``[batch, height, width, 3]`` RGB, and gives what
        `yolopv2.network.deployed.DeployedNetwork` gives, by its `output_names`.
    """
    axes = free_axes(deployed)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a newer exporter exists, that loops over three levels are unrolled
        torch.onnx.export(
            deployed,
            (torch.zeros(*_TRACED, 3, dtype=torch.uint8),),
            buffer,  # type: ignore[arg-type]  # this exporter takes files, its annotation names paths only
            dynamo=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=deployed.output_names,
            dynamic_axes={name: dict(free) for name, free in axes.items()},
        )
    model = onnx.load_from_string(buffer.getvalue())
    if canvas is not None:
        _fix(model, {"batch": 1, "height": canvas[0], "width": canvas[1]})
    model = _fold(model)
    _state_shapes(model, deployed, axes, canvas)
    return model


def free_axes(deployed: DeployedNetwork) -> dict[str, dict[int, str]]:
    """The free axes of the input and of each output, with their names.

    Returns:
        By name of the input or output the name of each free axis by its number: ``batch``, ``height`` and ``width``
        where it is that of the input, ``anchors`` where it is that of the boxes.
    """
    shapes = [_output_shapes(deployed, *size) for size in (_TRACED, _OTHER)]
    known = dict(zip(zip(_TRACED, _OTHER, strict=True), ("batch", "height", "width"), strict=True))
    if "boxes" in deployed.output_names:
        known[shapes[0]["boxes"][1], shapes[1]["boxes"][1]] = "anchors"
    axes = {"image": {0: "batch", 1: "height", 2: "width"}}
    for name in deployed.output_names:
        pairs = enumerate(zip(shapes[0][name], shapes[1][name], strict=True))
        axes[name] = {axis: known.get(pair, f"{name}_{axis}") for axis, pair in pairs if pair[0] != pair[1]}
    return axes


def _output_shapes(deployed: DeployedNetwork, batch: int, height: int, width: int) -> dict[str, tuple[int, ...]]:
    with torch.inference_mode():
        outputs = deployed(torch.zeros(batch, height, width, 3, dtype=torch.uint8))
    return {name: tuple(value.shape) for name, value in zip(deployed.output_names, outputs, strict=True)}


def _state_shapes(
    model: onnx.ModelProto, deployed: DeployedNetwork, axes: dict[str, dict[int, str]], canvas: tuple[int, int] | None
) -> None:
    """Writes the whole shape of every output, of which the exporter loses track."""
    shapes = _output_shapes(deployed, *((1, *canvas) if canvas is not None else _TRACED))
    for port in model.graph.output:
        free = axes[port.name] if canvas is None else {}
        kind = port.type.tensor_type.elem_type
        shape = [free.get(axis, length) for axis, length in enumerate(shapes[port.name])]
        port.CopyFrom(helper.make_tensor_value_info(port.name, kind, shape))


def _fix(model: onnx.ModelProto, lengths: dict[str, int]) -> None:
    """Gives free axes of the input their lengths."""
    for dim in model.graph.input[0].type.tensor_type.shape.dim:
        if dim.dim_param in lengths:
            dim.dim_value = lengths[dim.dim_param]
    del model.graph.value_info[:]


def _fold(model: onnx.ModelProto) -> onnx.ModelProto:
    """Computes once what does not depend on the input, by ONNX Runtime's basic optimisations.

    These give standard operations only, so the graph runs in every engine.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = f"{folder}/folded.onnx"
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        folded = onnx.load(options.optimized_model_filepath)
    used = {node.domain for node in folded.graph.node}
    kept = [opset for opset in folded.opset_import if opset.domain in used]
    del folded.opset_import[:]
    folded.opset_import.extend(kept)
    return folded


def store_as_half(graph: onnx.GraphProto) -> None:
    """Stores the weight matrices as float16 and casts them back where they are used; vectors are too small."""
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2 or tensor.name.endswith("anchors"):
            continue
        name, weight = tensor.name, numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):  # what does not fit is found when the graph is compared
            half = weight.astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
    for position, cast in enumerate(casts):
        graph.node.insert(position, cast)
