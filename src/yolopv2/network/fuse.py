"""From training form to deployed form: the same function with fewer operations."""

from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

from yolopv2.network.blocks import CSP, Conv, RepConv, Up2
from yolopv2.network.heads import DetectionHead

Module = TypeVar("Module", bound=nn.Module)


def fuse(network: Module, implicit: bool = False) -> Module:
    """A deployed copy of a network, in evaluation mode.

    Batch normalisation is folded into the convolutions and RepConv's two branches become one: the form in which the
    release was published.

    Args:
        network: A network in training form; a deployed one comes back unchanged (as a copy).
        implicit: Also fold what the release keeps apart: the implicit parameters into the detection convolutions, and
            the normalisation after the concatenation in CSP blocks into the two convolutions before it. Faster, but no
            longer the released graph.

    Returns:
        The copy. Its outputs equal the original's up to rounding.
    """
    deployed = deepcopy(network).eval()
    with torch.no_grad():
        for module in deployed.modules():
            if isinstance(module, Conv | Up2) and isinstance(module.bn, nn.BatchNorm2d):
                _fold_norm(module.conv, module.bn)
                module.bn = nn.Identity()
        for module in deployed.modules():
            if isinstance(module, RepConv) and module.point is not None:
                _merge_branches(module)
            elif implicit and isinstance(module, CSP) and isinstance(module.bn, nn.BatchNorm2d):
                _fold_concatenated_norm(module)
            elif implicit and isinstance(module, DetectionHead):
                _fold_implicit(module)
    return deployed


def _affine(bn: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Scale and shift per channel that a normalisation with fixed statistics applies."""
    assert bn.running_mean is not None
    assert bn.running_var is not None
    scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    return scale, bn.bias - bn.running_mean * scale


def _scale_outputs(conv: nn.Conv2d | nn.ConvTranspose2d, scale: Tensor, shift: Tensor) -> None:
    """Makes ``conv`` compute ``scale * conv(x) + shift``."""
    shape = (1, -1, 1, 1) if isinstance(conv, nn.ConvTranspose2d) else (-1, 1, 1, 1)
    bias = shift if conv.bias is None else shift + scale * conv.bias
    conv.weight = nn.Parameter(conv.weight * scale.view(shape))
    conv.bias = nn.Parameter(bias.clone())


def _fold_norm(conv: nn.Conv2d | nn.ConvTranspose2d, bn: nn.BatchNorm2d) -> None:
    _scale_outputs(conv, *_affine(bn))


def _merge_branches(rep: RepConv) -> None:
    """Adds the 1x1 branch to the centre of the 3x3 one."""
    assert rep.point is not None
    dense, point = rep.dense.conv, rep.point.conv
    assert dense.bias is not None
    assert point.bias is not None
    dense.weight[:, :, 1, 1] += point.weight[:, :, 0, 0]
    dense.bias += point.bias
    rep.point = None


def _fold_concatenated_norm(csp: CSP) -> None:
    """The first half of the channels comes from the deep branch, the second from the shallow one."""
    assert isinstance(csp.bn, nn.BatchNorm2d)
    scale, shift = _affine(csp.bn)
    deep = csp.deep[-1]
    assert isinstance(deep, nn.Conv2d)
    half = deep.out_channels
    _scale_outputs(deep, scale[:half], shift[:half])
    _scale_outputs(csp.shallow, scale[half:], shift[half:])
    csp.bn = nn.Identity()


def _fold_implicit(head: DetectionHead) -> None:
    """``im * (W (x + ia) + b)`` is ``(im W) x + im (W ia + b)``."""
    for level, conv in enumerate(head.predict):
        add, multiply = head.ia[level], head.im[level]
        if isinstance(add, nn.Identity):
            continue
        assert isinstance(conv, nn.Conv2d)
        assert conv.bias is not None
        offset = (conv.weight[:, :, 0, 0] @ add.implicit.view(-1)).detach()  # type: ignore[operator]
        conv.bias += offset
        _scale_outputs(conv, multiply.implicit.view(-1), torch.zeros_like(conv.bias))  # type: ignore[operator]
        head.ia[level] = nn.Identity()
        head.im[level] = nn.Identity()
