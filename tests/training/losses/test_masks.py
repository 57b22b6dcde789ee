import math

import pytest
import torch
from torch.nn import functional as F

from yolopv2.training.losses import masks
from yolopv2.training.losses.focal import focal_cross_entropy


def overlap(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    sums = masks.overlap_sums(logits, target, weight)
    return masks.dice_loss(sums) + masks.iou_loss(sums) + masks.tversky_loss(sums)


def test_drivable_loss_is_softmax_cross_entropy() -> None:
    logits, labels = torch.randn(2, 2, 4, 5), torch.randint(0, 2, (2, 4, 5))
    sums = masks.drivable_cross_entropy(logits, labels.float(), torch.ones(2, 4, 5))
    torch.testing.assert_close(sums.loss / sums.weight, F.cross_entropy(logits, labels))


def test_drivable_loss_is_sound_for_logits_of_any_size() -> None:
    logits = torch.tensor([-1e4, 1e4]).view(1, 2, 1, 1).requires_grad_()
    loss = masks.drivable_cross_entropy(logits, torch.zeros(1, 1, 1), torch.ones(1, 1, 1)).loss
    loss.backward()
    assert loss.item() == pytest.approx(2e4)
    assert logits.grad is not None
    assert logits.grad.flatten().tolist() == [-1, 1]


def test_focal_loss_without_focus_is_half_of_cross_entropy() -> None:
    logits, target = torch.randn(3, 7), torch.randint(0, 2, (3, 7)).float()
    sums = masks.lane_focal(logits, target, torch.ones(3, 7), gamma=0, alpha=0.5)
    torch.testing.assert_close(sums.loss / sums.weight, F.binary_cross_entropy_with_logits(logits, target) / 2)


def test_focal_loss_of_one_pixel_by_the_papers_formula() -> None:
    p = 1 / (1 + math.exp(-0.3))
    loss = focal_cross_entropy(torch.tensor([0.3]), torch.ones(1), gamma=2.0, alpha=0.25)
    assert loss.item() == pytest.approx(-0.25 * (1 - p) ** 2 * math.log(p), rel=1e-5)


def test_overlap_losses_of_right_and_wrong_masks() -> None:
    target = torch.zeros(1, 20, 20)
    target[:, :10] = 1
    sure = (target - 0.5) * 40
    weight = torch.ones_like(target)
    assert overlap(sure, target, weight).item() < 1e-4
    assert overlap(-sure, target, weight).item() > 2.97


def test_tversky_with_equal_costs_is_dice_or_iou() -> None:
    """arXiv 1706.05721: alpha = beta = 0.5 gives dice, alpha = beta = 1 gives the Jaccard index."""
    sums = masks.OverlapSums(torch.tensor(4e6), torch.tensor(9e6), torch.tensor(7e6))
    torch.testing.assert_close(masks.tversky_loss(sums, 0.5, 0.5), masks.dice_loss(sums))
    torch.testing.assert_close(masks.tversky_loss(sums, 1, 1), masks.iou_loss(sums))


@pytest.mark.parametrize("loss", [lambda *a: masks.lane_focal(*a).loss, overlap])
def test_unlabelled_pixels_get_no_gradient(loss) -> None:  # type: ignore[no-untyped-def]
    logits = torch.randn(2, 6, requires_grad=True)
    weight = torch.tensor([[1.0] * 6, [0.0] * 6])
    loss(logits, torch.ones(2, 6), weight).backward()
    assert logits.grad is not None
    assert logits.grad[0].any()
    assert not logits.grad[1].any()


def test_a_lane_head_that_says_nothing_is_pushed_to_say_something() -> None:
    """The known collapse: with few positives, 'no marking anywhere' must not be where the gradient ends."""
    target = torch.zeros(1, 100, 100)
    target[:, :, 50] = 1
    logits = torch.full_like(target, -4.0).requires_grad_()
    weight = torch.ones_like(target)
    focal = masks.lane_focal(logits, target, weight)
    (4 * focal.loss / focal.weight + overlap(logits, target, weight) / 2).backward()
    assert logits.grad is not None
    assert (logits.grad[:, :, 50] < 0).all()
