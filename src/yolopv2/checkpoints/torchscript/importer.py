"""Reads the released TorchScript file, whatever its tensors are called."""

import math
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from yolopv2.checkpoints.torchscript.graph import Layer, LayerGraph
from yolopv2.checkpoints.torchscript.match import Matching, match
from yolopv2.errors import YolopError
from yolopv2.network import HEADS, VARIANTS, Network, fuse
from yolopv2.network.blocks import BN_EPS, RepConv

TOLERANCE = 1e-4
"""Largest difference between an output of the file and of the network for which the import counts as right."""

OUTPUTS = ("detection stride 8", "detection stride 16", "detection stride 32", "drivable", "lanes")
_SHAPES = ((2, 3, 64, 96), (1, 3, 128, 64), (1, 3, 384, 640), (1, 3, 640, 640))
_ENOUGH_RUNS = 2


@dataclass(frozen=True)
class Import:
    """A network that was read from a TorchScript file, and how surely.

    Attributes:
        network: Float32, in evaluation mode; in training form if the file has every normalisation, else deployed.
        layers: How many layers were placed.
        differences: Largest absolute difference between the file's and the network's output, by output.
        sizes: The heights and widths at which both were run.
    """

    network: Network
    layers: int
    differences: dict[str, float]
    sizes: tuple[tuple[int, int], ...]


@dataclass
class _Run:
    """What the file returns for one random input."""

    image: Tensor
    leaves: list[Tensor]


def import_torchscript(path: str | os.PathLike[str]) -> Import:
    """Reads the network from the released ``yolopv2.pt``, or from another TorchScript file of the same network.

    The file's layers are placed by what feeds what and by shape, so names do not matter. The result is proved: both are
    run in float64 on random input of several sizes, and every output must agree within `TOLERANCE`.

    The file is a program. PyTorch's TorchScript interpreter runs it; name only files you trust.

    Args:
        path: The file.

    Raises:
        YolopError: It is no TorchScript, not this network, or its outputs differ; the message says what was placed,
            what was not, and how much the outputs differ.
    """
    graph, runs = _read_and_run(path)
    roles = _roles(runs[0], path)
    reference = _empty_network(graph, runs[0].leaves[roles[OUTPUTS[0]]], path)
    matching = _place(graph, {name: graph.outputs[leaf] for name, leaf in roles.items()}, reference, path)
    network = _filled(reference, matching)
    network.anchors.copy_(_anchors(runs[0].leaves, network.anchors))
    differences = _compare(network, runs, roles)
    if max(differences.values()) > TOLERANCE:
        raise YolopError(_account(path, graph, matching, differences))
    sizes = tuple((run.image.shape[2], run.image.shape[3]) for run in runs)
    return Import(network.float().eval(), len(matching.pairs), differences, sizes)


def _read_and_run(path: str | os.PathLike[str]) -> tuple[LayerGraph, list[_Run]]:
    """The file's layers, and what it returns for the first inputs that it accepts.

    It runs in float64, so that rounding does not blur the comparison, or in float32 where its program insists on that.
    A file may also insist on the size at which it was traced.
    """
    generator = torch.Generator().manual_seed(0)
    problem = ""
    for dtype in (torch.float64, torch.float32):
        module = _load(path, dtype)
        graph = LayerGraph(module)  # before it runs: the interpreter changes the graph
        runs: list[_Run] = []
        for shape in _SHAPES:
            image = torch.rand(shape, generator=generator, dtype=dtype)
            try:
                with torch.inference_mode(), torch.jit.optimized_execution(False):
                    runs.append(_Run(image, list(_flat(module(image)))))
            except RuntimeError as error:
                problem = str(error).strip().splitlines()[-1]
            if len(runs) == _ENOUGH_RUNS:
                break
        if runs:
            return graph, runs
    raise YolopError(f"{path} is not YOLOPv2: it does not run on RGB images of 32-pixel multiples ({problem}).")


def _load(path: str | os.PathLike[str], dtype: torch.dtype) -> torch.jit.ScriptModule:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            module = torch.jit.load(os.fspath(path), map_location="cpu")
    except (RuntimeError, ValueError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise YolopError(f"{path} cannot be read as TorchScript ({reason}); is it complete? Get it again.") from None
    if hasattr(module, "training"):  # a frozen module has lost it
        module.eval()
    for node in module.graph.nodes():  # a frozen module's weights are constants of its graph
        if node.kind() == "prim::Constant" and node.hasAttribute("value") and node.kindOf("value") == "t":
            tensor = node.t("value")
            if tensor.is_floating_point():
                node.t_("value", tensor.to(dtype))
    return module.to(dtype)


def _flat(outputs: Any) -> list[Tensor]:
    if isinstance(outputs, Tensor):
        return [outputs]
    if isinstance(outputs, list | tuple):
        return [leaf for item in outputs for leaf in _flat(item)]
    return []


def _roles(run: _Run, path: str | os.PathLike[str]) -> dict[str, int]:
    """Which of the returned tensors is which output, by shape."""
    height, width = run.image.shape[2:]
    shapes = [tuple(leaf.shape) for leaf in run.leaves]
    wanted = {
        **{name: (height // s, width // s) for name, s in zip(OUTPUTS, (8, 16, 32), strict=False)},
        "drivable": (2, height, width),
        "lanes": (1, height, width),
    }
    roles = {
        name: position
        for name, end in wanted.items()
        for position, shape in enumerate(shapes)
        if len(shape) == 4 and shape[-len(end) :] == end
    }
    if len(roles) < len(OUTPUTS):
        absent = ", ".join(name for name in OUTPUTS if name not in roles)
        returned = ", ".join(str(list(shape)) for shape in shapes) or "no tensor"
        raise YolopError(
            f"{path} is not YOLOPv2: for an image of {width}x{height} it returns {returned}, and no output that could "
            f"be: {absent}."
        )
    return roles


def _empty_network(graph: LayerGraph, detections: Tensor, path: str | os.PathLike[str]) -> Network:
    """A network of the file's width and number of classes, in training form but for branches the file has merged."""
    channels = graph.layers[0].parameters["weight"].value.shape[0] if graph.layers else 0
    stems = {plan.channels(32): name for name, plan in VARIANTS.items()}
    outputs = detections.shape[1]
    if channels not in stems or outputs % 3 or outputs < 18:
        raise YolopError(
            f"{path} is not YOLOPv2: its first convolution has {channels} channels (known: "
            f"{', '.join(str(c) for c in stems)}) and its detection maps have {outputs} (3 times 5 + classes)."
        )
    return Network(stems[channels], outputs // 3 - 5, HEADS).double().eval()


def _place(
    graph: LayerGraph, outputs: dict[str, list[Layer]], reference: Network, path: str | os.PathLike[str]
) -> Matching:
    """Finds the file's layer for each of the network's; ``reference`` loses the 1x1 branches that the file lacks."""
    branched = match(_outputs(reference), outputs)
    if not branched.differences:
        return branched
    for module in reference.modules():
        if isinstance(module, RepConv):
            module.point = None
    merged = match(_outputs(reference), outputs)
    if not merged.differences:
        return merged
    best = max(branched, merged, key=lambda matching: len(matching.pairs))
    raise YolopError(_account(path, graph, best, {}))


class _Flat(nn.Module):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        out = self.network(x)
        return (*out.detections, out.drivable, out.lanes)


def _outputs(network: Network) -> dict[str, list[Layer]]:
    """The layers of one of our own networks, by output."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace(_Flat(network), torch.zeros(1, 3, 32, 32).double(), check_trace=False)
    return dict(zip(OUTPUTS, LayerGraph(traced).outputs, strict=True))


def _filled(network: Network, matching: Matching) -> Network:
    """Copies the file's numbers; where the file has no normalisation, an identity stands in and all are folded."""
    state: dict[str, Tensor] = {}
    folded = False
    for ours, theirs in matching.pairs.items():
        values = {role: parameter.value for role, parameter in theirs.parameters.items()}
        bias = values.get("bias", torch.zeros(1))
        if "weight" in ours.parameters and "norm.weight" in ours.parameters:
            if "norm.weight" in values:
                values["norm.running_mean"] = values["norm.running_mean"] - bias
                values["norm.running_var"] = values["norm.running_var"] + theirs.eps - BN_EPS
            else:
                folded = True
                values["norm.weight"] = torch.ones_like(ours.parameters["norm.weight"].value)
                values["norm.bias"] = bias.expand_as(values["norm.weight"])
                values["norm.running_mean"] = torch.zeros_like(values["norm.weight"])
                values["norm.running_var"] = torch.full_like(values["norm.weight"], 1 - BN_EPS)
        values = {"bias": bias, "add": torch.zeros(1), "multiply": torch.ones(1), **values}
        for role, parameter in ours.parameters.items():
            state[parameter.name.removeprefix("network.")] = _shaped(values[role], parameter.value)
    network.load_state_dict(state, strict=False)  # what is not there are counters of training steps
    return fuse(network) if folded else network


def _shaped(value: Tensor, like: Tensor) -> Tensor:
    """The value in another shape of as many numbers, or one number everywhere; the comparison finds all misfits."""
    if value.numel() == like.numel():
        return value.reshape(like.shape)
    return value.expand_as(like) if value.numel() == 1 else like


def _anchors(leaves: Sequence[Tensor], default: Tensor) -> Tensor:
    """The anchors that the file returns beside its maps, three tensors ``[1, 3, 1, 1, 2]``."""
    found = [leaf.reshape(3, 2) for leaf in leaves if leaf.ndim == 5 and leaf.numel() == 6]
    return torch.stack(found) if len(found) == 3 else default


def _compare(network: Network, runs: Sequence[_Run], roles: dict[str, int]) -> dict[str, float]:
    largest = dict.fromkeys(OUTPUTS, 0.0)
    for run in runs:
        with torch.inference_mode():
            detections, drivable, lanes, _ = network.to(run.image.dtype)(run.image)
        ours = [*detections, drivable.sigmoid(), lanes.sigmoid()]
        for name, output in zip(OUTPUTS, ours, strict=True):
            difference = (output - run.leaves[roles[name]]).abs().max().item()
            largest[name] = max(largest[name], difference if math.isfinite(difference) else math.inf)
    return largest


def _account(path: str | os.PathLike[str], graph: LayerGraph, matching: Matching, differences: dict[str, float]) -> str:
    """The refusal: what was placed, what not, and how much the outputs differ."""
    placed = set(matching.pairs.values())
    unplaced = [f"{layer.label} ({layer.name})" for layer in graph.layers if layer not in placed]
    lines = [f"{path} is not the YOLOPv2 network; nothing was imported."]
    lines.append(f"  placed: {len(placed)} of the file's {len(graph.layers)} layers")
    if unplaced:
        lines.append(f"  not placed: {_some(unplaced)}")
    lines += [f"  {difference}" for difference in matching.differences[:5]]
    if graph.branches:
        lines.append("  the file has branches in its program (it was scripted, not traced), which hide layers")
    if differences:
        listed = ", ".join(f"{name} {value:.2g}" for name, value in differences.items())
        lines.append(f"  outputs differ by: {listed} (allowed: {TOLERANCE:g}), so some operation is another one")
    return "\n".join(lines)


def _some(items: Sequence[str], most: int = 6) -> str:
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")
