"""ONNX Runtime: an exported graph where that engine is at home."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import MissingExtra, YolopError
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.classes import Classes
from yolopv2.inference.runtimes.base import (
    METADATA_KEY,
    graph_class_ids,
    graph_names,
    head_outputs,
    require_canvas,
)

try:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state
except ImportError:
    raise MissingExtra("onnx", "ONNX Runtime") from None


_GRAPH_ERRORS = (
    onnxruntime_pybind11_state.Fail,
    onnxruntime_pybind11_state.InvalidArgument,
    onnxruntime_pybind11_state.InvalidGraph,
    onnxruntime_pybind11_state.InvalidProtobuf,
)


class OnnxRuntime:
    """An exported graph in ONNX Runtime.

    Args:
        graph: The ``.onnx`` file.
        device: ``cpu``, or ``cuda`` with its GPU build.
        precision: Only ``float32``, in which graphs are exported.
        heads: Heads to compute, all if None.
        classes: Classes to keep, numbered anew; all if None.

    Raises:
        YolopError: The file cannot be read, or there is no such device, precision, head or class.
    """

    def __init__(
        self,
        graph: Path,
        device: str = "cpu",
        precision: str = "float32",
        heads: Collection[str] | None = None,
        classes: Classes | None = None,
    ) -> None:
        if precision != "float32":
            raise YolopError(f"ONNX Runtime computes these graphs in float32 only, not {precision}")
        providers = _providers(device)
        try:
            self._session = onnxruntime.InferenceSession(graph.read_bytes(), providers=providers)
        except (OSError, *_GRAPH_ERRORS):
            raise YolopError(f"{graph} cannot be read as an ONNX model: the file is missing or damaged") from None
        self.names = graph_names(self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY), graph)
        self.description = f"ONNX Runtime {onnxruntime.__version__} on {device}, float32"
        self._outputs = head_outputs([output.name for output in self._session.get_outputs()], heads)
        self._classes = None if classes is None else graph_class_ids(classes, self.names, self._outputs, graph)
        if self._classes is not None:
            self.names = {number: self.names[i] for number, i in enumerate(self._classes)}
        self._options = onnxruntime.RunOptions()
        self._options.only_execute_path_to_fetches = True
        self._graph, self._takes = graph, self._session.get_inputs()[0].shape
        self.streams = 1

    def __call__(self, batch: NDArray[np.uint8], alone: bool = True) -> Candidates:
        """Looks at canvases, one at a time so that none depends on its neighbours; see `Runtime`."""
        require_canvas(self._takes, batch, self._graph)
        results = [self._session.run(self._outputs, {"image": canvas[None]}, self._options) for canvas in batch]
        columns = (np.concatenate(parts) for parts in zip(*results, strict=True))
        outputs = dict(zip(self._outputs, columns, strict=True))
        if self._classes is not None and "scores" in outputs:
            outputs["scores"] = outputs["scores"][..., list(self._classes)]
        return Candidates.from_outputs(outputs, len(batch))


def _providers(device: str) -> list[str]:
    wanted = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}.get(device, "")
    if wanted not in onnxruntime.get_available_providers():
        raise YolopError(f"this ONNX Runtime cannot use the device {device!r}: choose cpu, or install its GPU build")
    return [wanted]
