"""How much boxes overlap, pair by pair, with gradients."""

import math

import torch
from torch import Tensor

EPS = 1e-6
"""Keeps quotients and logarithms finite."""


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union.

    Args:
        a: ``[n, 4]``, ``x1 y1 x2 y2``.
        b: ``[n, 4]``.

    Returns:
        ``[n]``, in 0..1.
    """
    sides = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    inter = sides.prod(1)
    return inter / ((a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - inter + EPS)


def ciou(a: Tensor, b: Tensor) -> Tensor:
    """Complete IoU (arXiv 1911.08287).

    ``CIoU = IoU - d^2 / c^2 - alpha v``, with d the distance of the centres, c the diagonal of the enclosing box and v
    the difference of the aspect ratios.

    Args:
        a: ``[n, 4]``, ``x1 y1 x2 y2``.
        b: ``[n, 4]``.

    Returns:
        ``[n]``, at most 1.

    Example:
        >>> box = torch.tensor([[1.0, 1.0, 3.0, 3.0]])
        >>> round(ciou(box, box).item(), 3)
        1.0
    """
    overlap = iou(a, b)
    diagonal = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).square().sum(1) + EPS
    distance = (a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]).square().sum(1) / 4
    (aw, ah), (bw, bh) = (a[:, 2:] - a[:, :2]).unbind(1), (b[:, 2:] - b[:, :2]).unbind(1)
    v = 4 / math.pi**2 * (torch.atan(aw / (ah + EPS)) - torch.atan(bw / (bh + EPS))).square()
    with torch.no_grad():
        alpha = v / (1 - overlap + v + EPS)
    return overlap - distance / diagonal - alpha * v
