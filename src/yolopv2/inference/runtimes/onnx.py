"""ONNX Runtime: an exported graph where that engine is at home."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import MissingExtra, YolopError
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.runtimes.base import METADATA_KEY, graph_names

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

    Raises:
        YolopError: The file cannot be read, or there is no such device or precision.
    """

    def __init__(self, graph: Path, device: str = "cpu", precision: str = "float32") -> None:
        if precision != "float32":
            raise YolopError(f"ONNX Runtime computes these graphs in float32 only, not {precision}")
        providers = _providers(device)
        try:
            self._session = onnxruntime.InferenceSession(graph.read_bytes(), providers=providers)
        except (OSError, *_GRAPH_ERRORS):
            raise YolopError(f"{graph} cannot be read as an ONNX model: the file is missing or damaged") from None
        self.names = graph_names(self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY), graph)
        self.description = f"ONNX Runtime {onnxruntime.__version__} on {device}, float32"
        self.streams = 1
        self._outputs = [output.name for output in self._session.get_outputs()]

    def __call__(self, batch: NDArray[np.uint8], alone: bool = True) -> Candidates:
        """Looks at canvases, one at a time so that none depends on its neighbours; see `Runtime`."""
        results = [self._session.run(self._outputs, {"image": canvas[None]}) for canvas in batch]
        columns = (np.concatenate(parts) for parts in zip(*results, strict=True))
        return Candidates.from_outputs(dict(zip(self._outputs, columns, strict=True)), len(batch))


def _providers(device: str) -> list[str]:
    wanted = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}.get(device, "")
    if wanted not in onnxruntime.get_available_providers():
        raise YolopError(f"this ONNX Runtime cannot use the device {device!r}: choose cpu, or install its GPU build")
    return [wanted]
