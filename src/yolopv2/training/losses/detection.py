"""The losses of boxes."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from yolopv2.network.decode import decode_boxes, split_anchors
from yolopv2.network.heads import STRIDES
from yolopv2.training.assign import Assignment, match_anchors, simota
from yolopv2.training.losses.focal import focal_cross_entropy
from yolopv2.training.overlap import ciou

Assigner = Literal["simota", "anchors"]
"""``simota`` picks the anchors that see an object best, ``anchors`` takes all that fit it."""


class DetectionSums(NamedTuple):
    """Losses of all levels, not yet divided by the number of positives, and that number.

    Attributes:
        box: ``1 - CIoU`` over the positives.
        objectness: Over all anchors of labelled frames.
        classes: Over the positives.
        positives: How many anchors answer for an object.
    """

    box: Tensor
    objectness: Tensor
    classes: Tensor
    positives: Tensor


def assign(
    detections: Sequence[Tensor], targets: Tensor, anchors: Tensor, assigner: Assigner = "simota"
) -> list[Assignment]:
    """The anchors that answer for objects, by level.

    Args:
        detections: Raw maps ``[N, 3 * (5 + C), H / s, W / s]``.
        targets: ``[t, 6]``: image, class, ``x1 y1 x2 y2`` in pixels.
        anchors: ``[3, 3, 2]`` in pixels.
        assigner: Which ones.
    """
    maps = [split_anchors(raw).float() for raw in detections]
    found = [
        match_anchors(targets, level_anchors, stride, raw.shape[2], raw.shape[3])
        for raw, level_anchors, stride in zip(maps, anchors, STRIDES, strict=True)
    ]
    return simota(found, maps, targets, anchors) if assigner == "simota" else found


def detection_sums(
    detections: Sequence[Tensor],
    targets: Tensor,
    anchors: Tensor,
    labelled: Tensor,
    found: Sequence[Assignment],
    gamma: float = 0.0,
) -> DetectionSums:
    """CIoU box loss, objectness with the CIoU as its target, and class cross-entropy.

    Args:
        detections: Raw maps ``[N, 3 * (5 + C), H / s, W / s]``.
        targets: ``[t, 6]``: image, class, ``x1 y1 x2 y2`` in pixels.
        anchors: ``[3, 3, 2]`` in pixels.
        labelled: bool ``[N]``: frames that have box labels; the others teach nothing here.
        found: Which anchors answer for which objects, by level.
        gamma: Focus of objectness and class (arXiv 1708.02002); 0 is plain cross-entropy.

    Returns:
        Sums over the frames.
    """
    maps = [split_anchors(raw).float() for raw in detections]
    box = objectness = classes = maps[0].new_zeros(())
    for level, (raw, positives) in enumerate(zip(maps, found, strict=True)):
        wanted = torch.zeros_like(raw[..., 4])
        place = (positives.image, positives.anchor, positives.row, positives.column)
        if len(positives.target):
            p = raw[place]
            cell = torch.stack([positives.column, positives.row], 1)
            xy, wh = decode_boxes(p, cell, anchors[level][positives.anchor], STRIDES[level])
            overlap = ciou(torch.cat([xy - wh / 2, xy + wh / 2], 1), targets[positives.target, 2:])
            box = box + (1 - overlap).sum()
            wanted.index_put_(place, overlap.detach().clamp(min=0))
            is_class = F.one_hot(targets[positives.target, 1].long(), p.shape[1] - 5).to(p.dtype)
            classes = classes + focal_cross_entropy(p[:, 5:], is_class, gamma).sum()
        objectness = objectness + focal_cross_entropy(raw[..., 4], wanted, gamma)[labelled].sum()
    count = maps[0].new_tensor(sum(len(positives.target) for positives in found))
    return DetectionSums(box, objectness, classes, count)
