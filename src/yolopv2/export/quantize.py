"""Most layers in 8 bits: quantisation after training, with the layers that suffer from it left in float.

Weights have one scale per output channel; activations one scale and zero point (NNCF's preset *mixed*), measured on
calibration frames. What the decoder computes from the heads' outputs always stays float.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from yolopv2.errors import MissingExtra, YolopError
from yolopv2.export.parity import Parity

try:
    os.environ.setdefault("NNCF_CI", "1")  # what its makers ask for who want no report of its use sent to them
    import nncf
except ImportError:
    raise MissingExtra("export", "Quantisation") from None

TARGET = 0.01
"""Layers are put back into float until no score on labels is lower than the network's by more than this."""

TARGET_AGREEMENT = 0.1
"""The same without labels: how far AP50 and IoU with the network's decisions as labels may be below 1.

More than on labels, because a thin marking that moves by a pixel is as right as before: the bundled nano in 8 bits
loses 0.06 of the lanes' IoU with its own view, and 0.0003 on labels.
"""

_HEADS = {"ap50": "detection", "drivable_iou": "drivable", "lane_iou": "lanes"}
"""Where a score is lost: the head that it judges is tried first, then the encoder."""

_MODULE = re.compile(r"^/network/(\w+)/(?:layers/)?([\w.]+)")
"""How a node of the graph is called after the module that it came from; heads and encoder consist of such groups."""

_HEAVY = ("Conv", "ConvTranspose", "Convolution", "ConvolutionBackpropData", "MatMul")
"""Convolutions and matrix products as ONNX and OpenVINO call them."""

_WIDE = 32
"""Channels from which a convolution is quicker with its SiLU within; measured with nano and base on AMX."""

_NOT_THE_NETWORK = "^(?!/network/).*"


@dataclass(frozen=True)
class Trial:
    """Some groups of layers left in float, and what that gave.

    Attributes:
        floats: The groups.
        drops: How much lower each score is than the network's.
        labelled: Whether the scores are on labels, else against the network's own decisions.
    """

    floats: tuple[str, ...]
    drops: dict[str, float]
    labelled: bool

    @classmethod
    def of(cls, floats: tuple[str, ...], parity: Parity) -> "Trial":
        """What a comparison says of it."""
        if parity.network:
            return cls(floats, parity.drops, labelled=True)
        return cls(floats, {name: 1 - value for name, value in parity.agreement.items()}, labelled=False)

    @property
    def target(self) -> float:
        """What no score may lose more than."""
        return TARGET if self.labelled else TARGET_AGREEMENT

    def __str__(self) -> str:
        against = "on labels" if self.labelled else "against the network's own view"
        return f"lost {against}: " + ", ".join(f"{name} {drop:.4f}" for name, drop in self.drops.items())


@dataclass(frozen=True)
class Report:
    """How an 8-bit model came about.

    Attributes:
        floats: Groups of layers that stayed float, in the order in which they were put back.
        groups: How many groups there are.
        drops: What is lost by score.
        target: What was aimed at in each.
        labelled: Whether the scores are on labels, else against the network's own decisions.
        trials: Everything that was measured on the way, the result last or, if nothing helped, first.
    """

    floats: tuple[str, ...]
    groups: int
    drops: dict[str, float]
    target: float
    labelled: bool
    trials: tuple[Trial, ...]

    @property
    def reached(self) -> bool:
        """Whether no score lost more than the target."""
        return all(drop <= self.target for drop in self.drops.values())

    @property
    def lines(self) -> list[str]:
        """What a person wants to know of it."""
        kept = f"{len(self.floats)} of {self.groups} groups of layers stayed float: {', '.join(self.floats) or 'none'}"
        result = Trial(self.floats, self.drops, self.labelled)
        short = "" if self.reached else f": MORE than the {self.target:g} that was aimed at, so think of float weights"
        return [f"int8: {kept}", f"int8: {result}{short}"]


def layer_groups(names: Iterable[str]) -> list[str]:
    """The groups of layers, as ``head.module`` or ``encoder.module``, in their order.

    Args:
        names: Of nodes of a graph.

    Example:
        >>> layer_groups(["/Div", "/network/encoder/stem/stem.0/conv/Conv", "/network/lanes/layers/layers.9/conv/Conv"])
        ['encoder.stem', 'lanes.9']
    """
    return list(dict.fromkeys(_group(match) for match in map(_MODULE.match, names) if match))


def _heavy_layers(model: Any) -> list[str]:
    """Names of the layers that are worth 8 bits."""
    if isinstance(model, onnx.ModelProto):
        return [node.name for node in model.graph.node if node.op_type in _HEAVY]
    return [node.get_friendly_name() for node in model.get_ordered_ops() if node.get_type_name() in _HEAVY]


def _group(match: re.Match[str]) -> str:
    return f"{match[1]}.{match[2].removeprefix('layers.')}"


def _pattern(group: str) -> str:
    part, _, module = group.partition(".")
    return rf"^/network/{part}/(layers/layers\.)?{re.escape(module)}/.*"


def quantise(model: Any, canvases: Sequence[NDArray[np.uint8]], floats: Sequence[str]) -> Any:
    """A copy of a model in 8 bits.

    Args:
        model: ONNX or OpenVINO, in float32.
        canvases: uint8 ``[1, H, W, 3]`` each, to measure activations on.
        floats: Groups that stay float.

    Raises:
        YolopError: NNCF cannot quantise it.
    """
    is_onnx = isinstance(model, onnx.ModelProto)
    nncf.set_log_level(40)
    ignored = nncf.IgnoredScope(
        patterns=[_NOT_THE_NETWORK, *map(_pattern, floats)],
        names=[] if is_onnx else _within_convolutions(model),
        validate=False,
    )
    items = [{"image": canvas} for canvas in canvases] if is_onnx else list(canvases)
    try:
        quantised = nncf.quantize(
            model if is_onnx else model.clone(),
            nncf.Dataset(items),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(items),
            ignored_scope=ignored,
        )
    except nncf.errors.BaseError as error:
        raise YolopError(f"this network cannot be quantised: {error}") from None
    if is_onnx:
        _unsigned_activations(quantised)
    return quantised


def _within_convolutions(model: Any) -> list[str]:
    """Names of the operations that make the SiLU of a wide convolution.

    OpenVINO computes them within the convolution unless they are quantised apart; after narrow ones and after any other
    layer they are quicker apart. ONNX Runtime computes in 8 bits only what is quantised on all sides.
    """
    names = []
    for sigmoid in model.get_ordered_ops():
        if sigmoid.get_type_name() == "Sigmoid":
            summed = sigmoid.input_value(0).get_node()
            convolved = summed.get_type_name() == "Add" and summed.input_value(0).get_node()
            if convolved and convolved.get_type_name() == "Convolution" and convolved.input(1).get_shape()[0] >= _WIDE:
                products = [taker.get_node() for taker in sigmoid.output(0).get_target_inputs()]
                names += [node.get_friendly_name() for node in (sigmoid, *products)]
    return names


def search(
    model: Any,
    canvases: Sequence[NDArray[np.uint8]],
    measure: Callable[[Any], Parity],
    tell: Callable[[str], object] = lambda line: None,
) -> tuple[Any, Report]:
    """Finds an 8-bit model with few layers in float that still sees what the network sees.

    All groups of layers are quantised first, but those of heads that no score judges. While a score loses too much, the
    groups of the head that it judges are put back into float one at a time, to see what each is worth, and then kept
    there in that order; the encoder's follow if that is not enough.

    Args:
        model: ONNX or OpenVINO, in float32.
        canvases: uint8 ``[1, H, W, 3]`` each, to measure activations on.
        measure: Compares a quantised model with the network.
        tell: Called with what each trial gave.

    Returns:
        The quantised model and how it came about.
    """
    groups = layer_groups(_heavy_layers(model))
    trials: list[Trial] = []

    def attempt(floats: tuple[str, ...]) -> tuple[Any, Trial]:
        quantised = quantise(model, canvases, floats)
        trial = Trial.of(floats, measure(quantised))
        trials.append(trial)
        tell(f"int8, in float: {', '.join(floats) or 'nothing'}; {trial}")
        return quantised, trial

    floats = tuple(group for group in groups if group.split(".")[0] not in (*_HEADS.values(), "encoder"))
    best, now = attempt(floats)
    for score, part in [*_HEADS.items(), *((score, "encoder") for score in _HEADS)]:
        if now.drops.get(score, 0) <= now.target:
            continue
        alone = {group: attempt((*floats, group))[1].drops[score] for group in groups if group.startswith(f"{part}.")}
        for group in sorted((group for group in alone if alone[group] < now.drops[score]), key=alone.__getitem__):
            floats = (*floats, group)
            best, now = attempt(floats)
            if now.drops[score] <= now.target:
                break
    return best, Report(floats, len(groups), now.drops, now.target, now.labelled, tuple(trials))


def _unsigned_activations(model: onnx.ModelProto) -> None:
    """Makes activations uint8 where they are int8, with the same values: ONNX Runtime is quick with uint8 alone."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear") or node.input[0] in constants:
            continue
        zero = constants[node.input[2]]
        if zero.data_type == TensorProto.INT8:
            moved = numpy_helper.to_array(zero).astype(np.int16) + 128
            zero.CopyFrom(numpy_helper.from_array(moved.astype(np.uint8), zero.name))
    del model.graph.value_info[:]  # it tells of int8
