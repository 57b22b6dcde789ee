"""OpenVINO, the engine of the core install: runs an exported graph on the CPU."""

import ctypes
import io
import platform
import queue
import sys
import threading
from collections import deque
from collections.abc import Collection
from contextlib import suppress
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
    graph_class_ids,
    graph_names,
    head_outputs,
    require_canvas,
)
from yolopv2.inference.runtimes.compiled import entry_key, load_entry, release_pages, store_entry
from yolopv2.inference.runtimes.graph_file import GraphFile
from yolopv2.inference.runtimes.silu import COEFFICIENTS, LEAST, polynomial_silu

_MOST_COMPILED = 4
"""Graphs compiled for one size of canvas each; a folder of pictures of every size would fill time and memory."""

_MOST_STREAMS = 8
"""Each holds activations of its own, and delays the first result."""

_MAKING_CORE = threading.Lock()

_CAPABILITY = {"float32": "FP32", "bfloat16": "BF16", "float16": "FP16"}


@cache
def openvino_library() -> ModuleType:
    """The library, imported without its telemetry and its converter of models.

    OpenVINO reports its import to its makers if it finds their package; with that hidden it reports nothing. Without
    both it imports several times as fast.
    """
    hidden = [name for name in ("openvino_telemetry", "openvino.tools.ovc") if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None makes an import fail
    try:
        import openvino
    finally:
        for name in hidden:
            del sys.modules[name]
    # Its table of types is made when first asked for, and two threads that ask at once wait for each other for ever:
    # one holds Python's lock and waits for the table, the other makes the table and waits for Python's lock.
    openvino.Type.u8.to_dtype()
    return openvino


def openvino_core() -> Any:
    """The library's one core, which all models of the process share.

    A core gives the thread that first uses it a stack for signals, and takes it away when it goes. Where two go in the
    order in which they came, the thread is left with the stack of the first, which is no more: the next signal, be it
    Ctrl-C or the end of a child process, kills the process. So there is one, and it stays.
    """
    with _MAKING_CORE:
        return _core()


@cache
def _core() -> Any:
    return openvino_library().Core()


@cache
def cpu_precisions() -> tuple[str, ...]:
    """The precisions in which this machine's processor computes."""
    capabilities = openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return tuple(precision for precision, capability in _CAPABILITY.items() if capability in capabilities)


class OpenVinoRuntime:
    """An exported graph in OpenVINO.

    The graph is compiled for each of the first few sizes of canvas it meets, which makes it 1.5 to 2 times as fast as
    the one compiled for any size that serves all further sizes; in float32 both give the same. What is compiled is kept
    on disk, see `yolopv2.inference.runtimes.compiled`. A canvas alone is computed by all cores together; of several,
    each is computed by few cores beside the others, which is quicker in all. Every canvas is a request of its own, so
    its results cannot depend on its neighbours.

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
        self._core = openvino_core()
        self._file = GraphFile(graph, self._core)
        known = self._file.description
        self.names = graph_names(known.metadata, graph)
        self.description = f"OpenVINO {ov.__version__.split('-')[0]} on the CPU, {precision}"
        self._outputs = head_outputs(known.outputs, heads)
        self._ids = None if classes is None else graph_class_ids(classes, self.names, self._outputs, graph)
        if self._ids is not None:
            self.names = {number: self.names[i] for number, i in enumerate(self._ids)}
        self._identity = entry_key(self._file.checksum, self._outputs, self._ids)
        self.streams = _streams()
        # Elsewhere the engine's own is as quick, or exact results are asked for.
        self._has_polynomials = precision == "bfloat16" and platform.machine() in ("x86_64", "AMD64")
        self._precision = getattr(ov.Type, {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}[precision])
        self._pools: dict[tuple[int, int, bool], queue.SimpleQueue[Any]] = {}
        self._mapped: list[memoryview] = []
        self._lock = threading.Lock()

    def __call__(self, batch: NDArray[np.uint8], alone: bool = True) -> Candidates:
        """Looks at canvases; see `Runtime`."""
        require_canvas(self._file.description.takes, batch, self._file.path)
        count, height, width, _ = batch.shape
        pool = self._pool(height, width, several=count > 1 or not alone)
        running: deque[Any] = deque()
        results: list[list[NDArray[np.generic]]] = []

        def finish() -> None:
            request = running.popleft()
            try:
                request.wait()
                results.append([request.get_output_tensor(i).data.copy() for i in range(len(self._outputs))])
            finally:
                pool.put(request)

        try:
            for position in range(count):
                while running and pool.empty():
                    finish()
                request = pool.get()  # waits for other threads only while holding none
                running.append(request)
                # Shared, so not copied; a request that shared once must always share, or it would write to the batch.
                request.start_async({0: batch[position : position + 1]}, share_inputs=True)
        finally:
            while running:
                finish()
        columns = results[0] if count == 1 else [np.concatenate(parts) for parts in zip(*results, strict=True)]
        return Candidates.from_outputs(dict(zip(self._outputs, columns, strict=True)), count)

    def _pool(self, height: int, width: int, several: bool) -> "queue.SimpleQueue[Any]":
        """Idle requests for canvases of one size: one that uses all cores, or several to run side by side."""
        key: tuple[int, int, bool] = (height, width, several)
        with self._lock:
            if key not in self._pools:
                if len(self._pools) >= _MOST_COMPILED:
                    key = (-1, -1, several)
                if key not in self._pools:
                    compiled = self._compile(*key)
                    self._pools[key] = queue.SimpleQueue()
                    for _ in range(self.streams if several else 1):
                        self._pools[key].put(compiled.create_infer_request())
            return self._pools[key]

    def _compile(self, height: int, width: int, several: bool) -> Any:
        """The graph compiled for one size, from the disk where it has been compiled before."""
        hints = {
            "INFERENCE_PRECISION_HINT": self._precision,
            "NUM_STREAMS": str(self.streams if several else 1),
            # Pinned to a core, a stream would wait for whatever else runs there: reading, drawing, encoding.
            "ENABLE_CPU_PINNING": not several,
        }
        facts = [openvino_library().__version__, *map(str, _processor()), *sorted(map(str, hints.items()))]
        key = entry_key(self._identity, height, width, self._has_polynomials and (LEAST, *COEFFICIENTS), *facts)
        compiled = self._load(key, hints)
        if compiled is None:
            compiled = self._build(height, width, hints)
            blob = io.BytesIO()
            compiled.export_model(blob)
            store_entry(key, blob.getbuffer())
            del blob
            compiled = self._load(key, hints) or compiled  # which takes less memory than one fresh from the compiler
        self._file.forget()
        _give_back_memory()
        return compiled

    def _load(self, key: str, hints: dict[str, Any]) -> Any | None:
        """The compiled graph from the disk."""
        kept = load_entry(key)
        if not kept:
            return None
        blob = openvino_library().Tensor(np.frombuffer(kept, np.uint8), shared_memory=True)
        try:
            compiled = self._core.import_model(blob, "CPU", hints)
        except RuntimeError:
            return None  # of another build of the engine: compiled anew and replaced
        self._mapped.append(kept)  # the engine reads small constants there as long as it runs
        release_pages(kept)  # the weights it has arranged anew for this processor
        return compiled

    def _build(self, height: int, width: int, hints: dict[str, Any]) -> Any:
        """The graph compiled from its file."""
        model = self._model()
        model.reshape([1, height, width, 3])
        if self._has_polynomials:
            polynomial_silu(model, openvino_library().opset13)
        return self._core.compile_model(model, "CPU", hints)

    def _model(self) -> Any:
        """The graph from its file, with what is asked for alone."""
        model = self._file.model()
        if self._ids is not None or len(self._outputs) < len(model.outputs):
            model = _cut(model, self._outputs, self._ids)
        return model


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


def _give_back_memory() -> None:
    """Has the C library return what compiling has freed; it would keep it. Only glibc can be asked to."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _streams() -> int:
    """Canvases that are computed side by side: one for each core, on large machines several cores for each."""
    return min(int(openvino_core().get_property("CPU", "RANGE_FOR_STREAMS")[1]), _MOST_STREAMS)


@cache
def _processor() -> tuple[Any, ...]:
    """What compiled graphs depend on besides the graph."""
    core = openvino_core()
    return tuple(core.get_property("CPU", name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES"))
