"""PyTorch: runs a network where there is a GPU, and networks that were not exported."""

import threading
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import MissingExtra, YolopError
from yolopv2.inference.candidates import Candidates

try:
    import torch
    from torch import Tensor
except ImportError:
    raise MissingExtra("torch", "Running on PyTorch") from None

from yolopv2.network import Network
from yolopv2.network.deployed import DeployedNetwork

_MOST_CAPTURED = 4
"""Shapes of batches whose work on a GPU is recorded; each holds activations of its own."""


class TorchRuntime:
    """A network in PyTorch: eager on a CPU; on CUDA each of the first few shapes is recorded once and played back.

    Args:
        network: In training or deployed form; it is copied.
        names: Class names by class id.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` and the like.
        precision: ``float32`` (exact), or ``bfloat16`` or ``float16`` where the device has it.

    Raises:
        YolopError: There is no such device, or it lacks the precision.
    """

    def __init__(
        self, network: Network, names: dict[int, str], device: str = "cpu", precision: str = "float32"
    ) -> None:
        self._device = torch_device(device)
        _require_precision(self._device, precision)
        self.names = names
        self.description = f"PyTorch {torch.__version__} on {self._device}, {precision}"
        deployed = DeployedNetwork(network).to(self._device, getattr(torch, precision))
        deployed.network.anchors = network.anchors.to(self._device)  # boxes are decoded in float32 whatever the rest
        self._deployed = deployed.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.streams = 1
        self._recordings: dict[tuple[int, ...], _Recording] = {}
        self._lock = threading.Lock()

    def __call__(self, batch: NDArray[np.uint8], alone: bool = True) -> Candidates:
        """Looks at canvases; see `Runtime`. Calls from several threads wait for each other.

        Raises:
            YolopError: The batch does not fit into the device's memory.
        """
        # A batch gains nothing on a CPU, and one canvas at a time cannot depend on its neighbours.
        parts = np.array_split(batch, len(batch)) if self._device.type == "cpu" else [batch]
        try:
            with self._lock, torch.inference_mode(), self._exact():
                results = [self._run(torch.from_numpy(part)) for part in parts]
                columns = [torch.cat(column).cpu().numpy() for column in zip(*results, strict=True)]
        except torch.OutOfMemoryError:
            height, width = batch.shape[1:3]
            raise YolopError(
                f"{len(batch)} canvases of {width}x{height} do not fit into the memory of {self._device}: "
                "choose a smaller batch or size"
            ) from None
        return Candidates.from_outputs(dict(zip(self._deployed.output_names, columns, strict=True)), len(batch))

    def _run(self, batch: Tensor) -> tuple[Tensor, ...]:
        shape = tuple(batch.shape)
        if self._device.type == "cuda" and shape not in self._recordings and len(self._recordings) < _MOST_CAPTURED:
            self._recordings[shape] = _Recording(self._deployed, batch.to(self._device))
        if shape in self._recordings:
            return self._recordings[shape](batch)
        return self._deployed(batch.to(self._device))

    def _exact(self) -> Any:
        """float32 means float32: by default PyTorch rounds the inputs of convolutions to TF32 on CUDA."""
        if self._device.type != "cuda":
            return nullcontext()
        return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


class _Recording:
    """A network's work on a batch of one shape as a CUDA graph: a small network's launches take longer than its work.

    Made as https://docs.pytorch.org/docs/stable/notes/cuda.html (CUDA Graphs) says: a few runs on a stream aside, so
    that nothing is allocated or chosen later, then the recording.

    Args:
        network: On the batch's device.
        batch: An example on a CUDA device; the recording keeps it to read further batches from.
    """

    def __init__(self, network: DeployedNetwork, batch: Tensor) -> None:
        self._input, self._graph = batch, torch.cuda.CUDAGraph()
        with torch.cuda.device(batch.device):
            aside = torch.cuda.Stream()
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(3):
                    network(batch)
            torch.cuda.current_stream().wait_stream(aside)
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._outputs: tuple[Tensor, ...] = network(batch)

    def __call__(self, batch: Tensor) -> tuple[Tensor, ...]:
        """The outputs for a batch of that shape, in memory that the next call writes over."""
        self._input.copy_(batch)
        self._graph.replay()
        return self._outputs


def torch_device(name: str) -> torch.device:
    """The device of that name.

    Raises:
        YolopError: The name is none of a device, or this machine or this PyTorch has no such device.

    Example:
        >>> torch_device("cpu")
        device(type='cpu')
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise YolopError(f"no device is called {name!r}; there are: {', '.join(torch_devices())}") from None
    known = torch_devices()
    if str(device) not in known and name not in {entry.split(":")[0] for entry in known}:
        advice = " (this PyTorch was built without CUDA)" if device.type == "cuda" and not torch.version.cuda else ""
        raise YolopError(f"there is no device {name} here{advice}; there are: {', '.join(known)}")
    return device


def torch_devices() -> list[str]:
    """Names of the devices PyTorch can use on this machine."""
    cuda = [f"cuda:{number}" for number in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]


def _require_precision(device: torch.device, precision: str) -> None:
    if precision != "bfloat16" or device.type != "cuda":
        return
    if not torch.cuda.is_bf16_supported(including_emulation=False):
        raise YolopError(f"{device} has no bfloat16: choose float32 or float16")
