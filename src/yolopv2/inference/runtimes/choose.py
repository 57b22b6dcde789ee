"""Which runtime runs a model here."""

import sys
from collections.abc import Callable, Collection
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from yolopv2.errors import MissingExtra, YolopError
from yolopv2.inference.classes import Classes
from yolopv2.inference.runtimes.base import PRECISIONS, Runtime

if TYPE_CHECKING:
    from yolopv2.network import Network

RUNTIMES = ("openvino", "torch", "onnx")

LoadNetwork = Callable[[], tuple["Network", dict[int, str]]]
"""Gives the network and its class names by id; called only when PyTorch is to run it."""

MakeGraph = Callable[[], Path | None]
"""Gives the model as an exported graph, or None where there can be none; called only when an engine needs one."""


def choose_runtime(
    graph: Path | MakeGraph | None,
    load_network: LoadNetwork | None,
    device: str = "auto",
    runtime: str = "auto",
    precision: str = "auto",
    heads: Collection[str] | None = None,
    classes: Classes | None = None,
) -> Runtime:
    """Loads a model into the engine that suits it here.

    Left to itself, a GPU is used through PyTorch if there is one; on the CPU an exported graph runs in OpenVINO, and so
    does a network of which a graph can be made, any other in PyTorch. Precision left to itself is what the device is
    quick in and the results bear: bfloat16 where the processor computes in it, float16 on NVIDIA GPUs, else float32.

    Args:
        graph: The model as an exported graph, or how to make one, if there is one.
        load_network: How to load the model as a network, if there is one.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        runtime: ``auto`` or one of `RUNTIMES`.
        precision: ``auto`` or one of `PRECISIONS`.
        heads: Heads the exported graph is cut down to, all if None; a network is loaded with those it is to have.
        classes: Classes the exported graph is cut down to, likewise.

    Raises:
        YolopError: The model cannot be run so; the message says what can be done.
        MissingExtra: The engine is not installed.
    """
    _require("runtime", runtime, ("auto", *RUNTIMES))
    _require("precision", precision, ("auto", *PRECISIONS))
    device = device.strip().lower()
    if device == "auto":
        device = _best_device() if runtime in ("auto", "torch") and load_network is not None else "cpu"
    if callable(graph):
        wanted = runtime in ("openvino", "onnx") or (runtime, device) == ("auto", "cpu")
        graph = _made(graph, runtime) if wanted else None
    if runtime == "auto":
        runtime = _best_runtime(graph is not None, load_network is not None, device)
    if runtime == "torch":
        if load_network is None:
            raise YolopError("an exported graph does not run on PyTorch: give the .safetensors it was made from")
        from yolopv2.inference.runtimes.torch_runtime import TorchRuntime

        return TorchRuntime(*load_network(), device, _quick_precision(device) if precision == "auto" else precision)
    if graph is None:
        raise YolopError(f"the runtime {runtime} runs .onnx files: make one of these weights with 'yolopv2 export'")
    if runtime == "onnx":
        if graph.suffix.lower() == ".xml":
            raise YolopError(f"{graph} is OpenVINO's own: export it as onnx, or leave the runtime to 'auto'")
        from yolopv2.inference.runtimes.onnx import OnnxRuntime

        return OnnxRuntime(graph, device, "float32" if precision == "auto" else precision, heads, classes)
    if device != "cpu":
        raise YolopError(f"OpenVINO runs on the CPU here, not on {device!r}: leave the runtime or the device to 'auto'")
    from yolopv2.inference.runtimes.openvino import OpenVinoRuntime

    precision = _quick_precision(device) if precision == "auto" else precision
    return OpenVinoRuntime(graph, precision, heads, classes)


def _made(make_graph: MakeGraph, runtime: str) -> Path | None:
    """A graph made now; what is missing to make it matters only to who asked for an engine that needs it."""
    try:
        return make_graph()
    except MissingExtra:
        if runtime != "auto":
            raise
        return None


def _best_runtime(has_graph: bool, has_network: bool, device: str) -> str:
    if device == "cpu" and has_graph:
        return "openvino"
    return "torch" if has_network else "onnx"


def _quick_precision(device: str) -> str:
    """bfloat16 halves the time of processors with instructions for it, float16 that of GPUs."""
    if device == "cpu":
        from yolopv2.inference.runtimes.openvino import cpu_precisions

        return "bfloat16" if "bfloat16" in cpu_precisions() else "float32"
    return "float16" if device.startswith("cuda") else "float32"


def _best_device() -> str:
    """A GPU that PyTorch can use, or the CPU; PyTorch, slow to import, is asked only where a GPU seems to be."""
    has_nvidia = Path("/dev/nvidiactl").exists() or sys.platform == "win32"
    if (has_nvidia or sys.platform == "darwin") and find_spec("torch") is not None:
        from yolopv2.inference.runtimes.torch_runtime import torch_devices

        return torch_devices()[-1].split(":")[0]
    return "cpu"


def _require(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise YolopError(f"no {what} is called {value!r}; there are: {', '.join(known)}")
