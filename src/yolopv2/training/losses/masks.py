"""The losses of masks. Targets may be soft; a weight of 0 says that nothing is known of a pixel."""

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

from yolopv2.training.losses.focal import focal_cross_entropy


class PixelSums(NamedTuple):
    """A loss summed over pixels, and the sum of their weights."""

    loss: Tensor
    weight: Tensor


class OverlapSums(NamedTuple):
    """What overlap losses are made of: predicted and wanted area, and what they share, in weighted pixels."""

    shared: Tensor
    predicted: Tensor
    wanted: Tensor


def drivable_cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> PixelSums:
    """Cross-entropy over background and road, from logits.

    The release applied a cross-entropy with logits to outputs that already were probabilities, which bounds the loss
    from below; here it acts on the logits themselves. For two channels the softmax is the sigmoid of the difference.

    Args:
        logits: ``[N, 2, H, W]``.
        target: ``[N, H, W]``, 0..1.
        weight: ``[N, H, W]``.
    """
    loss = F.binary_cross_entropy_with_logits(logits[:, 1].float() - logits[:, 0].float(), target, reduction="none")
    return PixelSums((loss * weight).sum(), weight.sum())


def lane_focal(logits: Tensor, target: Tensor, weight: Tensor, gamma: float = 2.0, alpha: float = 0.75) -> PixelSums:
    """Focal loss (arXiv 1708.02002) of markings, which are few among the pixels.

    Args:
        logits: Any shape.
        target: Same shape, 0..1.
        weight: Same shape.
        gamma: How strongly what is nearly right is discounted.
        alpha: Weight of the markings; the rest has ``1 - alpha``.
    """
    return PixelSums((focal_cross_entropy(logits, target, gamma, alpha) * weight).sum(), weight.sum())


def overlap_sums(logits: Tensor, target: Tensor, weight: Tensor) -> OverlapSums:
    """The areas of which `dice_loss`, `iou_loss` and `tversky_loss` are made.

    Args:
        logits: Any shape.
        target: Same shape, 0..1.
        weight: Same shape.
    """
    p, t = logits.sigmoid() * weight, target * weight
    return OverlapSums((p * target).sum(), p.sum(), t.sum())


def dice_loss(sums: OverlapSums) -> Tensor:
    """Soft dice loss (arXiv 1606.04797), ``1 - (2 I + 1) / (P + T + 1)``.

    Over a whole batch, not per frame: a frame without any marking would otherwise give only noise.
    """
    return 1 - (2 * sums.shared + 1) / (sums.predicted + sums.wanted + 1)


def iou_loss(sums: OverlapSums) -> Tensor:
    """Soft IoU loss, ``1 - (I + 1) / (P + T - I + 1)``, over a whole batch."""
    return 1 - (sums.shared + 1) / (sums.predicted + sums.wanted - sums.shared + 1)


def tversky_loss(sums: OverlapSums, alpha: float = 0.3, beta: float = 0.7) -> Tensor:
    """Tversky loss (arXiv 1706.05721), ``1 - (I + 1) / (I + alpha FP + beta FN + 1)``, over a whole batch.

    Args:
        sums: Areas.
        alpha: What a pixel too much costs.
        beta: What a missed pixel costs.
    """
    too_much, missed = sums.predicted - sums.shared, sums.wanted - sums.shared
    return 1 - (sums.shared + 1) / (sums.shared + alpha * too_much + beta * missed + 1)
