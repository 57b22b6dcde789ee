"""From the detection head's raw maps to boxes: the only decoder, used by every runtime, training and evaluation."""

from collections.abc import Sequence

import torch
from torch import Tensor

from yolopv2.network.heads import STRIDES


def cell_grid(height: int, width: int, like: Tensor) -> Tensor:
    """Column and row index of every cell, ``[height, width, 2]``."""
    rows = torch.arange(height, device=like.device, dtype=like.dtype)
    columns = torch.arange(width, device=like.device, dtype=like.dtype)
    return torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)


def split_anchors(raw: Tensor, anchors_per_level: int = 3) -> Tensor:
    """``[N, A * (5 + C), H, W]`` to ``[N, A, H, W, 5 + C]``, and so for any other number of channels per anchor."""
    n, channels, height, width = raw.shape
    return raw.view(n, anchors_per_level, channels // anchors_per_level, height, width).permute(0, 1, 3, 4, 2)


def decode_boxes(raw: Tensor, cell: Tensor, anchor: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Centres and sizes, in pixels, of boxes given as logits.

    ``xy = (2 sigmoid(t) - 0.5 + cell) * stride``, ``wh = (2 sigmoid(t))^2 * anchor``, as YOLOv5 introduced and the
    release uses.

    Args:
        raw: ``[..., 4 or more]``: ``tx ty tw th`` first.
        cell: ``[..., 2]``, column and row.
        anchor: ``[..., 2]``, pixels.
        stride: Pixels per cell.
    """
    t = raw[..., :4].sigmoid() * 2
    return (t[..., :2] - 0.5 + cell) * stride, t[..., 2:] ** 2 * anchor


def decode(detections: Sequence[Tensor], anchors: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes and scores of every anchor of every cell.

    Boxes are those of `decode_boxes`; ``score = sigmoid(objectness) * sigmoid(class)``.

    Args:
        detections: Raw maps of strides 8, 16, 32, each ``[N, 3 * (5 + C), H / s, W / s]``.
        anchors: ``[3, 3, 2]``, pixels.

    Returns:
        Boxes ``[N, A, 4]`` as ``x1 y1 x2 y2`` in pixels of the network's input, and scores ``[N, A, C]``.

    Example:
        >>> maps = [torch.zeros(1, 18, 64 // s, 96 // s) for s in (8, 16, 32)]
        >>> boxes, scores = decode(maps, torch.ones(3, 3, 2))
        >>> boxes.shape, scores[0, 0].item()
        (torch.Size([1, 378, 4]), 0.25)
    """
    boxes, scores = [], []
    for raw, stride, anchor in zip(detections, STRIDES, anchors.unbind(), strict=True):
        p = split_anchors(raw).float()
        xy, wh = decode_boxes(p, cell_grid(p.shape[2], p.shape[3], p), anchor.view(1, -1, 1, 1, 2), stride)
        boxes.append(torch.cat([xy - wh / 2, xy + wh / 2], -1).flatten(1, 3))
        scores.append((p[..., 4:5].sigmoid() * p[..., 5:].sigmoid()).flatten(1, 3))
    return torch.cat(boxes, 1), torch.cat(scores, 1)
