"""What a network consists of: parameters and operations by stage, and where the heads tap the encoder."""

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from yolopv2.network.fuse import fuse
from yolopv2.network.mask_head import MaskMaps
from yolopv2.network.network import Network


@dataclass(frozen=True)
class Stage:
    """A part of the network, in deployed form.

    Attributes:
        name: Its path in the network.
        block: The kind of block.
        output: Channels and stride of what it gives, ``256 /8``; several for detection.
        parameters: Learned numbers.
        flop: Floating-point operations per frame, two per multiply-add, of convolutions and linear layers.
    """

    name: str
    block: str
    output: str
    parameters: int
    flop: int


@dataclass(frozen=True)
class Summary:
    """A network in numbers.

    Attributes:
        variant: Its variant.
        encoder: Its aggregation block.
        heads: Its heads.
        classes: Number of detection classes.
        width: Of the frame the operations are counted for, pixels.
        height: Of the same.
        parameters: In training form; in deployed form if the network is deployed already.
        deployed_parameters: In deployed form.
        flop: Per frame, two per multiply-add.
        stages: In order of execution.
        taps: What the encoder gives to the heads: ``{"F4": (512, 16)}`` are channels and stride.
    """

    variant: str
    encoder: str
    heads: tuple[str, ...]
    classes: int
    width: int
    height: int
    parameters: int
    deployed_parameters: int
    flop: int
    stages: tuple[Stage, ...]
    taps: dict[str, tuple[int, int]]


def summarise(network: Network, height: int = 384, width: int = 640) -> Summary:
    """Counts parameters and operations without running anything.

    Args:
        network: In training or deployed form; it is not changed.
        height: Of the frame, a multiple of 32.
        width: Of the frame, a multiple of 32.

    Raises:
        YolopError: The height or width is not a multiple of 32.

    Example:
        >>> summary = summarise(Network("nano", classes=1))
        >>> summary.taps["F4"], summary.parameters > summary.deployed_parameters
        ((128, 16), True)
    """
    shapes_only = deepcopy(network).to("meta")
    deployed = fuse(shapes_only)
    parts = _parts(deployed)
    outputs: dict[str, str] = {}
    hooks = [
        part.register_forward_hook(lambda _module, _args, out, name=name: outputs.update({name: _shape(out, width)}))
        for name, part in parts.items()
    ]
    frame = torch.zeros(1, 3, height, width, device="meta", dtype=next(deployed.parameters()).dtype)
    with FlopCounterMode(display=False) as counter:
        deployed(frame)
    for hook in hooks:
        hook.remove()
    by_module = counter.get_flop_counts()
    stages = tuple(
        Stage(name, type(part).__name__, outputs[name], _count(part), sum(by_module[f"Network.{name}"].values()))
        for name, part in parts.items()
    )
    return Summary(
        variant=network.variant_name,
        encoder=network.encoder_name,
        heads=network.heads,
        classes=network.classes,
        width=width,
        height=height,
        parameters=_count(network),
        deployed_parameters=_count(deployed),
        flop=counter.get_total_flops(),
        stages=stages,
        taps=_taps(deployed, frame),
    )


def _parts(network: Network) -> dict[str, nn.Module]:
    """The encoder's stages and the heads, by path; what has no parameters is left out."""
    named = [(f"encoder.{name}", part) for name, part in network.encoder.named_children()]
    named += [(name, part) for name, part in network.named_children() if name != "encoder"]
    return {name: part for name, part in named if _count(part)}


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _shape(output: Tensor | list[Tensor] | MaskMaps, width: int) -> str:
    if isinstance(output, MaskMaps):
        output = [output.prototypes, *output.coefficients]
    tensors = [output] if isinstance(output, Tensor) else output
    return ", ".join(f"{tensor.shape[1]} /{width // tensor.shape[3]}" for tensor in tensors)


def _taps(network: Network, frame: Tensor) -> dict[str, tuple[int, int]]:
    features = network.encoder(frame)
    maps = zip(
        ("F4", "F3", "N3", "N4", "N5"), (features.drivable, features.lanes, *(features.pyramid or ())), strict=False
    )
    return {name: (x.shape[1], frame.shape[3] // x.shape[3]) for name, x in maps if x is not None}
