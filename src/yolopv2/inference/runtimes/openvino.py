"""OpenVINO, the engine of the core install: runs an exported graph on the CPU."""

import sys
import threading
from collections.abc import Collection
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.classes import Classes
from yolopv2.inference.runtimes.base import (
    METADATA_KEY,
    graph_class_ids,
    graph_names,
    head_outputs,
    require_canvas,
)

_MOST_COMPILED = 4
"""Graphs compiled for one size of canvas each; a folder of pictures of every size would fill time and memory."""

_CAPABILITY = {"float32": "FP32", "bfloat16": "BF16", "float16": "FP16"}


@cache
def openvino_library() -> ModuleType:
    """The library, imported without its telemetry.

    OpenVINO reports its import to its makers if it finds their package; with that hidden it reports nothing, and
    imports twice as fast.
    """
    hidden = "openvino_telemetry" not in sys.modules
    if hidden:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # what makes an import fail
    try:
        import openvino
    finally:
        if hidden:
            del sys.modules["openvino_telemetry"]
    return openvino


@cache
def cpu_precisions() -> tuple[str, ...]:
    """The precisions in which this machine's processor computes."""
    capabilities = openvino_library().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return tuple(precision for precision, capability in _CAPABILITY.items() if capability in capabilities)


class OpenVinoRuntime:
    """An exported graph in OpenVINO.

    The graph is compiled for each of the first few sizes of canvas it meets, which makes it 1.5 to 2 times as fast as
    the one compiled for any size that serves all further sizes; in float32 both give the same. Every canvas of a batch
    is a request of its own, so its results cannot depend on its neighbours; several at once run in parallel streams.

    Args:
        graph: The ``.onnx`` file, or the ``.xml`` file of OpenVINO's own with its ``.bin`` beside it.
        precision: ``float32`` (exact), or ``bfloat16`` or ``float16`` where the processor has it.
        heads: Heads to compute, all if None: what only leads to others is cut out of the graph.
        classes: Classes to keep, numbered anew; all if None.

    Raises:
        YolopError: The file cannot be read, the processor lacks the precision, or the graph a head or class.
    """

    def __init__(
        self,
        graph: Path,
        precision: str = "float32",
        heads: Collection[str] | None = None,
        classes: Classes | None = None,
    ) -> None:
        if precision not in cpu_precisions():
            raise YolopError(f"this processor has no {precision}: choose from {', '.join(cpu_precisions())}")
        ov = openvino_library()
        self._core = ov.Core()
        try:
            self._model = self._core.read_model(graph)
        except RuntimeError:
            beside = " or the .bin beside it" if graph.suffix == ".xml" else ""
            raise YolopError(f"{graph} cannot be read as a model: the file{beside} is missing or damaged") from None
        where = ["framework", METADATA_KEY]
        metadata = self._model.get_rt_info(where).astype(str) if self._model.has_rt_info(where) else None
        self.names = graph_names(metadata, graph)
        self.description = f"OpenVINO {ov.__version__.split('-')[0]} on the CPU, {precision}"
        self._outputs = head_outputs([output.any_name for output in self._model.outputs], heads, graph)
        ids = None if classes is None else graph_class_ids(classes, self.names, self._outputs, graph)
        if ids is not None:
            self.names = {number: self.names[i] for number, i in enumerate(ids)}
        if ids is not None or len(self._outputs) < len(self._model.outputs):
            self._model = _cut(self._model, self._outputs, ids)
        taken = self._model.inputs[0].partial_shape
        self._graph, self._takes = graph, [side.get_length() if side.is_static else None for side in taken]
        self._precision = getattr(ov.Type, {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}[precision])
        self._queues: dict[tuple[int, int, bool], Any] = {}
        self._lock = threading.Lock()

    def __call__(self, batch: NDArray[np.uint8]) -> Candidates:
        """Looks at canvases; see `Runtime`. Calls from several threads wait for each other."""
        require_canvas(self._takes, batch, self._graph)
        count, height, width, _ = batch.shape
        results: list[list[NDArray[np.generic]]] = [[] for _ in range(count)]

        def keep(request: Any, position: int) -> None:
            results[position] = [request.get_output_tensor(i).data.copy() for i in range(len(self._outputs))]

        with self._lock:
            queue = self._queue(height, width, several=count > 1)
            queue.set_callback(keep)
            for position in range(count):
                # Shared, so not copied; a request that shared once must always share, or it would write into the batch.
                queue.start_async({0: batch[position : position + 1]}, position, share_inputs=True)
            queue.wait_all()
        columns = (np.concatenate(parts) for parts in zip(*results, strict=True))
        return Candidates.from_outputs(dict(zip(self._outputs, columns, strict=True)), count)

    def _queue(self, height: int, width: int, several: bool) -> Any:
        """Requests for canvases of one size: one that uses all cores, or several side by side."""
        key: tuple[int, int, bool] = (height, width, several)
        if key not in self._queues:
            if len(self._queues) >= _MOST_COMPILED:
                key = (-1, -1, several)
            if key not in self._queues:
                self._queues[key] = self._compile(*key)
        return self._queues[key]

    def _compile(self, height: int, width: int, several: bool) -> Any:
        model = self._model.clone()
        model.reshape([1, height, width, 3])
        hints = {
            "PERFORMANCE_HINT": "THROUGHPUT" if several else "LATENCY",
            "INFERENCE_PRECISION_HINT": self._precision,
        }
        return openvino_library().AsyncInferQueue(self._core.compile_model(model, "CPU", hints))


def _cut(model: Any, outputs: list[str], classes: tuple[int, ...] | None) -> Any:
    """The part of a graph that leads to some outputs, with the scores of some classes."""
    ov = openvino_library()
    results = []
    for name in outputs:
        port = model.output(name).get_node().input_value(0)
        if name == "scores" and classes is not None:
            port = ov.opset13.gather(port, np.array(classes), np.int64(2)).output(0)
        result = ov.opset13.result(port)
        result.output(0).set_names({name})
        results.append(result)
    return ov.Model(results, model.get_parameters(), model.get_friendly_name())
