"""The losses of the three tasks, each from logits, each with its formula and source."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from yolopv2.network.decode import split_anchors
from yolopv2.network.heads import STRIDES
from yolopv2.training.assign import match_anchors

EPS = 1e-6


class DetectionLosses(NamedTuple):
    """Mean losses over the positives of a batch: box, objectness and class."""

    box: Tensor
    objectness: Tensor
    classes: Tensor


def ciou(a: Tensor, b: Tensor) -> Tensor:
    """Complete IoU of boxes given as centre, width, height (arXiv 1911.08287).

    ``CIoU = IoU - d^2 / c^2 - alpha v``, with d the distance of the centres, c the diagonal of the enclosing box and v
    the difference of the aspect ratios.

    Args:
        a: ``[n, 4]``.
        b: ``[n, 4]``.

    Returns:
        ``[n]``, at most 1.

    Example:
        >>> box = torch.tensor([[1.0, 1.0, 2.0, 2.0]])
        >>> round(ciou(box, box).item(), 3)
        1.0
    """
    a_low, a_high = a[:, :2] - a[:, 2:] / 2, a[:, :2] + a[:, 2:] / 2
    b_low, b_high = b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2
    inter = (torch.minimum(a_high, b_high) - torch.maximum(a_low, b_low)).clamp(min=0).prod(1)
    union = a[:, 2:].prod(1) + b[:, 2:].prod(1) - inter + EPS
    iou = inter / union
    diagonal = (torch.maximum(a_high, b_high) - torch.minimum(a_low, b_low)).square().sum(1) + EPS
    distance = (a[:, :2] - b[:, :2]).square().sum(1)
    aspect = torch.atan(a[:, 2] / (a[:, 3] + EPS)) - torch.atan(b[:, 2] / (b[:, 3] + EPS))
    v = 4 / math.pi**2 * aspect.square()
    with torch.no_grad():
        alpha = v / (1 - iou + v + EPS)
    return iou - distance / diagonal - alpha * v


def detection_losses(
    detections: Sequence[Tensor], targets: Tensor, anchors: Tensor, labelled: Tensor
) -> DetectionLosses:
    """CIoU box loss, objectness with the CIoU as its target, and class cross-entropy.

    Args:
        detections: Raw maps ``[N, 3 * (5 + C), H / s, W / s]``.
        targets: ``[t, 6]``: image, class, ``x1 y1 x2 y2`` in pixels.
        anchors: ``[3, 3, 2]`` in pixels.
        labelled: bool ``[N]``: frames that have box labels; the others teach nothing here.

    Returns:
        Sums over all levels, divided by the number of positives.
    """
    zero = detections[0].new_zeros((), dtype=torch.float32)
    box, objectness, classes, positives = zero, zero, zero, 0
    for raw, stride, level_anchors in zip(detections, STRIDES, anchors, strict=True):
        maps = split_anchors(raw).float()
        found = match_anchors(targets, level_anchors, stride, maps.shape[2], maps.shape[3])
        wanted = torch.zeros_like(maps[..., 4])
        count = len(found.image)
        if count:
            p = maps[found.image, found.anchor, found.row, found.column]
            cell = torch.stack([found.column, found.row], 1)
            xy = p[:, :2].sigmoid() * 2 - 0.5 + cell
            wh = (p[:, 2:4].sigmoid() * 2) ** 2 * level_anchors[found.anchor] / stride
            overlap = ciou(torch.cat([xy, wh], 1), found.box)
            box = box + (1 - overlap).sum()
            quality = overlap.detach().clamp(min=0).to(wanted.dtype)
            wanted.index_put_((found.image, found.anchor, found.row, found.column), quality)
            class_target = F.one_hot(found.class_id, p.shape[1] - 5).to(p.dtype)
            classes = classes + F.binary_cross_entropy_with_logits(p[:, 5:], class_target, reduction="sum")
        every = F.binary_cross_entropy_with_logits(maps[..., 4], wanted, reduction="none")
        objectness = objectness + every[labelled].sum()
        positives += count
    norm = max(positives, 1)
    return DetectionLosses(box / norm, objectness / norm, classes / norm)


def drivable_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy over background and road, from logits.

    The release applied a cross-entropy with logits to outputs that already were probabilities, which bounds the loss
    from below; here it acts on the logits themselves. For two channels the softmax is the sigmoid of the difference.

    Args:
        logits: ``[N, 2, H, W]``.
        target: ``[N, H, W]`` in 0..1, may be soft.
        weight: ``[N, H, W]``, 0 where nothing is known.
    """
    loss = F.binary_cross_entropy_with_logits(logits[:, 1].float() - logits[:, 0].float(), target, reduction="none")
    return (loss * weight).sum() / weight.sum().clamp(min=1)


def focal_loss(logits: Tensor, target: Tensor, weight: Tensor, gamma: float = 2.0, alpha: float = 0.75) -> Tensor:
    """Focal loss (arXiv 1708.02002), for soft targets with ``|target - p|`` as the modulating factor.

    Args:
        logits: Any shape.
        target: Same shape, 0..1.
        weight: Same shape, 0 where nothing is known.
        gamma: How strongly well-predicted pixels are discounted.
        alpha: Weight of the positives; the negatives have ``1 - alpha``.
    """
    p = logits.sigmoid()
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    loss = loss * (target - p).abs() ** gamma * (alpha * target + (1 - alpha) * (1 - target))
    return (loss * weight).sum() / weight.sum().clamp(min=1)


def overlap_losses(logits: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Soft dice loss (arXiv 1606.04797) and soft IoU loss over the whole batch.

    ``dice = 1 - 2 I / (P + T)``, ``iou = 1 - I / (P + T - I)`` with I the sum of products, P of predictions, T of
    targets, and 1 added above and below the bars. Over the batch, not per frame: a frame without any marking would
    otherwise give only noise.

    Args:
        logits: Any shape.
        target: Same shape, 0..1.
        weight: Same shape, 0 where nothing is known.
    """
    p = logits.sigmoid() * weight
    t = target * weight
    inter = (p * target).sum()
    total = p.sum() + t.sum()
    dice = 1 - (2 * inter + 1) / (total + 1)
    iou = 1 - (inter + 1) / (total - inter + 1)
    return dice, iou
