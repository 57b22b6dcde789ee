"""The network as an ONNX file: bytes in, candidates out, at any batch and any multiple of 32 pixels."""

import io
import json
import os
import warnings
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from yolopv2.checkpoints.meta import METADATA_KEY
from yolopv2.errors import MissingExtra
from yolopv2.files import write_bytes_atomic

try:
    import onnx
    import torch
    from onnx import TensorProto, helper, numpy_helper
except ImportError:
    raise MissingExtra("export", "ONNX export") from None

from yolopv2.export.parity import compare, require
from yolopv2.network import Network
from yolopv2.network.deployed import DeployedNetwork

OPSET = 18


def export_onnx(
    network: Network, path: str | os.PathLike[str], metadata: Mapping[str, Any], half_weights: bool = True
) -> None:
    """Writes the deployed form of a network as one self-contained ONNX file, once it has proved to see the same.

    The graph takes ``image``, uint8 ``[N, H, W, 3]`` RGB (N, H, W free, H and W multiples of 32), and gives ``boxes``
    float32 ``[N, A, 4]``, ``scores`` float32 ``[N, A, C]``, ``drivable`` and ``lanes`` uint8 ``[N, H, W]``; heads the
    network lacks have no output. See `yolopv2.network.deployed.DeployedNetwork` for what they mean.

    Args:
        network: In training or deployed form; it is not changed.
        path: The file; it is written whole or not at all.
        metadata: What is stored beside the graph, as JSON (see `yolopv2.checkpoints.CheckpointMeta.to_dict`).
        half_weights: Store the weights as float16, which halves the file. They are cast to float32 when the model is
            loaded: activations stay float32.

    Raises:
        MissingExtra: PyTorch or onnx is not installed.
        YolopError: The file cannot be written, or the graph does not see what the network sees, as when a weight is too
            large for float16.
    """
    deployed = DeployedNetwork(deepcopy(network).float().cpu()).eval()
    model = _trace(deployed)
    if half_weights:
        _store_as_half(model.graph)
    helper.set_model_props(model, {METADATA_KEY: json.dumps(metadata)})
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString()
    require(compare(content, deployed))
    write_bytes_atomic(path, content)


def _trace(deployed: DeployedNetwork) -> onnx.ModelProto:
    """The graph by PyTorch's tracing exporter.

    The newer exporter (``dynamo=True``) gives the same operations, takes forty times as long, needs onnxscript and
    differs between the versions of PyTorch we support.
    """
    axes = {
        "image": {0: "batch", 1: "height", 2: "width"},
        "boxes": {0: "batch", 1: "anchors"},
        "scores": {0: "batch", 1: "anchors"},
        "drivable": {0: "batch", 1: "height", 2: "width"},
        "lanes": {0: "batch", 1: "height", 2: "width"},
    }
    names = deployed.output_names
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # that a newer exporter exists, and that loops over the three levels are unrolled
        torch.onnx.export(
            deployed,
            (torch.zeros(1, 64, 96, 3, dtype=torch.uint8),),
            buffer,  # type: ignore[arg-type]  # this exporter takes files, its annotation names paths only
            dynamo=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=names,
            dynamic_axes={name: axes[name] for name in ["image", *names]},
        )
    model = onnx.load_from_string(buffer.getvalue())
    for port in model.graph.output:
        if port.name in ("boxes", "scores"):  # the exporter lost track of the last dimension
            last = port.type.tensor_type.shape.dim[2]
            last.Clear()
            last.dim_value = 4 if port.name == "boxes" else deployed.network.classes
    return model


def _store_as_half(graph: onnx.GraphProto) -> None:
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
