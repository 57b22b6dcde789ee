"""Cross-entropy that looks away from what is already right."""

from torch import Tensor
from torch.nn import functional as F


def focal_cross_entropy(logits: Tensor, target: Tensor, gamma: float, alpha: float | None = None) -> Tensor:
    """Focal loss (arXiv 1708.02002), element by element.

    ``|target - p|^gamma * BCE(p, target)``, which for hard targets is the paper's ``-(1 - p_t)^gamma log p_t``; soft
    targets as in arXiv 2006.04388.

    Args:
        logits: Any shape.
        target: Same shape, 0..1.
        gamma: How strongly what is nearly right is discounted; 0 is plain cross-entropy.
        alpha: Weight of the positives, the negatives have ``1 - alpha``; None weighs both with 1.

    Example:
        >>> import torch
        >>> focal_cross_entropy(torch.zeros(1), torch.ones(1), gamma=2.0, alpha=0.25).item()  # ln 2 / 16
        0.04332169...
    """
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    if gamma:
        loss = loss * (target - logits.sigmoid()).abs() ** gamma
    if alpha is not None:
        loss = loss * (alpha * target + (1 - alpha) * (1 - target))
    return loss
