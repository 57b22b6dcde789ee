"""The losses of instance masks: from masks where there are such, else from boxes."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from yolopv2.network.decode import split_anchors
from yolopv2.network.mask_head import MASK_STRIDE, MaskMaps
from yolopv2.training.assign import Assignment
from yolopv2.training.losses.box_pixels import BoxPixels
from yolopv2.training.losses.box_supervision import lab, pairwise_sums, projection_sums

MOST_MASKS = 128
"""Positives of a batch whose masks are looked at, evenly chosen from all: neighbours say much the same."""


class InstanceSums(NamedTuple):
    """Losses summed over positives, and how many these are.

    Attributes:
        mask: Cross-entropy of masks, each a mean over its box (YOLACT, arXiv 1904.02689).
        mask_count: Positives whose object has a labelled mask.
        mask_projection: BoxInst's projection term of the other positives.
        mask_pairwise: BoxInst's pairwise term of the same.
        mask_boxes: How many these are.
    """

    mask: Tensor
    mask_count: Tensor
    mask_projection: Tensor
    mask_pairwise: Tensor
    mask_boxes: Tensor


def instance_sums(
    maps: MaskMaps,
    found: Sequence[Assignment],
    targets: Tensor,
    instances: Tensor | None,
    images: Tensor,
    from_boxes: bool = True,
) -> InstanceSums:
    """The losses of the masks that positives predict for their objects, inside their objects' boxes.

    Args:
        maps: What the network says.
        found: Positives of each level.
        targets: ``[t, 6]``: image, class, ``x1 y1 x2 y2`` in pixels; those of an image one after another.
        instances: int16 ``[N, H, W]``, see `yolopv2.training.loader.Batch`; None when no object has a mask.
        images: uint8 ``[N, 3, H, W]``, RGB.
        from_boxes: Whether objects without a mask are to teach by their boxes.
    """
    _, _, height, width = maps.prototypes.shape
    rows = [
        split_anchors(raw)[f.image, f.anchor, f.row, f.column] for raw, f in zip(maps.coefficients, found, strict=True)
    ]
    coefficients = torch.cat(rows).float().tanh()
    image, target = (torch.cat([getattr(f, name) for f in found]) for name in ("image", "target"))
    if len(target) > MOST_MASKS:
        chosen = torch.linspace(0, len(target) - 1, MOST_MASKS, device=target.device).round().long()
        coefficients, image, target = coefficients[chosen], image[chosen], target[chosen]
    pixels = BoxPixels.of(targets[target, 2:] / MASK_STRIDE, height, width)
    place = (image[pixels.owner] * height + pixels.row) * width + pixels.column
    prototypes = maps.prototypes.float().permute(0, 2, 3, 1).flatten(0, 2)
    logits = (prototypes.index_select(0, place) * coefficients.index_select(0, pixels.owner)).sum(1)

    share = torch.zeros_like(logits)
    if instances is not None:
        share = _shares(instances, place, _numbers(targets)[target][pixels.owner])
    has_mask = pixels.sum(share) > 0
    entropy = F.binary_cross_entropy_with_logits(logits, share, reduction="none")
    mask = (pixels.sum(entropy) / pixels.area)[has_mask].sum()
    projection = pairwise = logits[:0].sum()
    if from_boxes and not has_mask.all():
        others, inside = pixels.pick(~has_mask)
        projection = projection_sums(logits[inside], others, height, width)
        pairwise = pairwise_sums(logits[inside], others, image[~has_mask], lab(images, MASK_STRIDE))
    count = has_mask.sum().to(logits.dtype)
    return InstanceSums(mask, count, projection, pairwise, len(has_mask) - count)


def _numbers(targets: Tensor) -> Tensor:
    """The number of each object among those of its image, from 1."""
    same = targets[:, 0].long()
    per_image = torch.bincount(same, minlength=1)
    return torch.arange(len(same), device=same.device) - (per_image.cumsum(0) - per_image)[same] + 1


def _shares(instances: Tensor, place: Tensor, number: Tensor) -> Tensor:
    """How much of prototypes' pixels, by their running number, belongs to the instance with a number."""
    n, height, width = instances.shape
    squares = instances.view(n, height // MASK_STRIDE, MASK_STRIDE, width // MASK_STRIDE, MASK_STRIDE)
    squares = squares.transpose(2, 3).reshape(-1, MASK_STRIDE**2)
    return (squares.index_select(0, place) == number[:, None]).float().mean(1)
