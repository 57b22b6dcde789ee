"""Writes down what a network computes while it runs."""

import inspect
from collections.abc import Callable

import pytest
import torch
from torch.overrides import TorchFunctionMode

from yolopv2.network import Network


class Recorder(TorchFunctionMode):
    """Writes down what a network computes while it runs."""

    def __init__(self, image: torch.Tensor) -> None:
        self.nodes = [("input", ())]
        self.position = {id(image): 0}
        self.alive = [image]  # an id is unique only as long as its tensor lives

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        if not isinstance(result, torch.Tensor):
            return result
        tensors = args[0] if isinstance(args[0], list | tuple) else [a for a in args[:2] if isinstance(a, torch.Tensor)]
        inputs = tuple(self.position[id(t)] for t in tensors if id(t) in self.position)
        words = self.words(function, args, kwargs) if inputs else None
        if words is not None:
            self.nodes.append((words, inputs))
            self.position[id(result)] = len(self.nodes) - 1
        elif inputs:  # only another view of the same
            self.position[id(result)] = inputs[0]
        self.alive.append(result)
        return result

    def words(self, function: Callable, args: tuple, kwargs: dict) -> str | None:
        name = function.__name__.strip("_")
        given = inspect.signature(function).bind(*args, **kwargs).arguments if inspect.isfunction(function) else {}
        match name:
            case "silu" | "cat" | "sigmoid":
                return name
            case "mean":
                return "gap"
            case "leaky_relu":
                return f"leaky {given['negative_slope']}"
            case "conv2d" | "conv_transpose2d":
                return self.convolution(name == "conv_transpose2d", *args[1:5])
            case "linear":
                return f"linear {args[1].shape[1]}->{args[1].shape[0]}" + ("" if args[2] is not None else " nobias")
            case "max_pool2d":
                kernel, stride, padding = args[1], kwargs["stride"], kwargs["padding"]
                assert padding == (kernel // 2 if stride == 1 else 0)
                return f"maxpool {kernel}" + ("" if stride == 1 else f" /{stride}")
            case "batch_norm":
                return f"norm {args[0].shape[1]}"
            case "interpolate":
                assert given["mode"] == "nearest"
                return f"up {int(given['scale_factor'])}"
            case "add" | "mul":
                constant = [a for a in args[:2] if id(a) not in self.position]
                return name + (f" parameter {constant[0].numel()}" if constant else "")
            case "getitem":
                return None
            case _:
                return f"unknown {name}"

    @staticmethod
    def convolution(up: bool, weight: torch.Tensor, bias: torch.Tensor | None, stride: tuple, padding: tuple) -> str:
        kernel, (c_out, c_in) = weight.shape[2], weight.shape[:2][:: -1 if up else 1]
        assert padding == ((0, 0) if up else (kernel // 2, kernel // 2))
        text = f"{'deconv' if up else 'conv'} {kernel}x{kernel} {c_in}->{c_out}"
        return text + ("" if stride == (1, 1) else f" /{stride[0]}") + ("" if bias is not None else " nobias")


@pytest.fixture(scope="session")
def record():
    """Gives what a network computes: its operations with their inputs, and the positions of its five outputs."""

    def run(network: Network) -> tuple[list[tuple[str, tuple[int, ...]]], tuple[int, ...]]:
        image = torch.zeros(1, 3, 32, 32)
        with torch.inference_mode(), Recorder(image) as recorder:
            out = network(image)
            results = [*out.detections, torch.sigmoid(out.drivable), torch.sigmoid(out.lanes)]
        return recorder.nodes, tuple(recorder.position[id(result)] for result in results)

    return run
