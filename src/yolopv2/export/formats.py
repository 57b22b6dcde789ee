"""A network in each format: how its file is written, and read back into the engine it is for."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from yolopv2.checkpoints.meta import METADATA_KEY
from yolopv2.export.graph import store_as_half
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.runtimes import Runtime
from yolopv2.inference.runtimes.base import graph_names
from yolopv2.inference.runtimes.onnx import OnnxRuntime
from yolopv2.inference.runtimes.openvino import OpenVinoRuntime, openvino_core, openvino_library
from yolopv2.network.deployed import DeployedNetwork


class Form(Protocol):
    """A network in the form of a format."""

    def save(self, path: Path, metadata: dict[str, Any]) -> None:
        """Writes it with its metadata, as JSON under the key ``yolopv2``."""

    def load(self, path: Path) -> Runtime:
        """What `save` wrote, in its own engine on the CPU, in float32 where it is not quantised."""


@dataclass
class OnnxForm:
    """An ONNX graph; its engine is ONNX Runtime."""

    model: onnx.ModelProto
    half: bool

    def save(self, path: Path, metadata: dict[str, Any]) -> None:
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        if self.half:
            store_as_half(model.graph)
        onnx.helper.set_model_props(model, {METADATA_KEY: json.dumps(metadata)})
        onnx.checker.check_model(model, full_check=True)
        path.write_bytes(model.SerializeToString())

    def load(self, path: Path) -> Runtime:
        return OnnxRuntime(path)


@dataclass
class OpenVinoForm:
    """An OpenVINO model, which lies in two files: the graph, ``.xml``, and the weights, ``.bin``."""

    model: Any
    half: bool

    @classmethod
    def of(cls, graph: onnx.ModelProto, half: bool) -> "OpenVinoForm":
        model = openvino_core().read_model(graph.SerializeToString())
        for node in model.get_ordered_ops():
            if node.get_type_name() == "ConvolutionBackpropData":  # the one layer whose name is lost on the way
                user = next(iter(node.output(0).get_target_inputs())).get_node()
                node.set_friendly_name(f"{user.get_friendly_name()}/WithoutBiases")
        return cls(model, half)

    def save(self, path: Path, metadata: dict[str, Any]) -> None:
        self.model.set_rt_info(json.dumps(metadata), ["framework", METADATA_KEY])  # where an ONNX file's metadata comes
        openvino_library().save_model(self.model, path, compress_to_fp16=self.half)

    def load(self, path: Path) -> Runtime:
        return OpenVinoRuntime(path)


GraphForm = OnnxForm | OpenVinoForm
"""The forms that can be quantised."""


@dataclass
class TorchScriptForm:
    """A frozen TorchScript module."""

    module: torch.jit.ScriptModule

    @classmethod
    def of(cls, deployed: DeployedNetwork) -> "TorchScriptForm":
        with torch.no_grad(), _without_deprecation():
            traced = torch.jit.trace(deployed, torch.zeros(1, 64, 96, 3, dtype=torch.uint8), check_trace=False)
            return cls(torch.jit.freeze(traced))

    def save(self, path: Path, metadata: dict[str, Any]) -> None:
        with _without_deprecation():
            torch.jit.save(self.module, path, _extra_files={METADATA_KEY: json.dumps(metadata)})

    def load(self, path: Path) -> Runtime:
        extra = {METADATA_KEY: ""}
        with _without_deprecation():
            module = torch.jit.load(path, "cpu", _extra_files=extra)
        return ModuleRuntime(module, extra[METADATA_KEY], path)


@dataclass
class TorchExportForm:
    """A program of ``torch.export``, for AOTInductor and what else compiles one."""

    program: torch.export.ExportedProgram

    @classmethod
    def of(cls, deployed: DeployedNetwork, canvas: tuple[int, int] | None) -> "TorchExportForm":
        rows, columns = (torch.export.Dim(name, min=1, max=256) for name in ("rows", "columns"))
        free = {0: torch.export.Dim("batch"), 1: 32 * rows, 2: 32 * columns}
        example = torch.zeros(*((2, 64, 96) if canvas is None else (1, *canvas)), 3, dtype=torch.uint8)
        shapes = {"image": free} if canvas is None else None
        return cls(torch.export.export(deployed, (example,), dynamic_shapes=shapes, strict=False))

    def save(self, path: Path, metadata: dict[str, Any]) -> None:
        torch.export.save(self.program, path, extra_files={METADATA_KEY: json.dumps(metadata)})

    def load(self, path: Path) -> Runtime:
        extra = {METADATA_KEY: ""}
        module = torch.export.load(path, extra_files=extra).module()
        return ModuleRuntime(module, extra[METADATA_KEY], path)


@contextmanager
def _without_deprecation() -> Iterator[None]:
    """Newer PyTorch calls TorchScript deprecated; who asks for that format knows why."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


class ModuleRuntime:
    """A module read back from a file of PyTorch's, as a `Runtime`."""

    def __init__(self, module: torch.nn.Module, metadata: str | bytes, path: Path) -> None:
        text = metadata.decode() if isinstance(metadata, bytes) else metadata
        self.names = graph_names(text, path)
        self.description = f"PyTorch {torch.__version__} on cpu, float32"
        self.streams = 1
        self._module, self._outputs = module, json.loads(text)["export"]["outputs"]

    def __call__(self, batch: NDArray[np.uint8], alone: bool = True) -> Candidates:
        with torch.inference_mode():
            results = [self._module(torch.from_numpy(canvas[None])) for canvas in batch]
        columns = [torch.cat(column).numpy() for column in zip(*results, strict=True)]
        return Candidates.from_outputs(dict(zip(self._outputs, columns, strict=True)), len(batch))
