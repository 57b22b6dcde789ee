import math

import pytest
import torch
from torch.nn import functional as F

from yolopv2.network.decode import decode
from yolopv2.training.losses import ciou, detection_losses, drivable_loss, focal_loss, overlap_losses

ANCHORS = torch.tensor(
    [[[12.0, 16], [19, 36], [40, 28]], [[36, 75], [76, 55], [72, 146]], [[142, 110], [192, 243], [459, 401]]]
)


def test_ciou_by_hand() -> None:
    a = torch.tensor([[0.0, 0, 2, 2]])
    b = torch.tensor([[1.0, 0, 2, 2]])
    # intersection 2 of 6; centres 1 apart, enclosing box 3 x 2; equal aspect
    assert ciou(a, b).item() == pytest.approx(1 / 3 - 1 / 13, abs=1e-4)


def test_ciou_pulls_boxes_that_do_not_touch() -> None:
    near, far = torch.tensor([[3.0, 0, 1, 1]]), torch.tensor([[9.0, 0, 1, 1]])
    box = torch.tensor([[0.0, 0, 1, 1]], requires_grad=True)
    assert ciou(box, near) > ciou(box, far)
    ciou(box, far).sum().backward()
    assert box.grad is not None
    assert box.grad[0, 0] > 0


def maps(classes: int = 1) -> list[torch.Tensor]:
    return [torch.zeros(2, 3 * (5 + classes), 64 // s, 96 // s, requires_grad=True) for s in (8, 16, 32)]


def test_descending_the_loss_finds_the_box() -> None:
    """The raw maps themselves are optimised: what the loss teaches, the decoder must read."""
    target = torch.tensor([[0.0, 0, 20, 10, 50, 40]])
    raw = maps()
    optimizer = torch.optim.Adam(raw, lr=0.3)
    labelled = torch.tensor([True, True])
    for _ in range(150):
        losses = detection_losses(raw, target, ANCHORS, labelled)
        optimizer.zero_grad()
        sum(losses).backward()  # type: ignore[arg-type, union-attr]
        optimizer.step()
    boxes, scores = decode([r.detach() for r in raw], ANCHORS)
    best = scores[0, :, 0].argmax()
    torch.testing.assert_close(boxes[0, best], target[0, 2:], atol=0.5, rtol=0)
    assert scores[0, best] > 0.9
    assert scores[1].max() < 0.05


def test_frames_without_box_labels_teach_nothing() -> None:
    raw = maps()
    losses = detection_losses(raw, torch.zeros(0, 6), ANCHORS, torch.tensor([False, False]))
    sum(losses).backward()  # type: ignore[arg-type, union-attr]
    assert all(not r.grad.any() for r in raw if r.grad is not None)


def test_no_objects_is_finite_and_lowers_objectness() -> None:
    raw = maps()
    losses = detection_losses(raw, torch.zeros(0, 6), ANCHORS, torch.tensor([True, True]))
    assert all(math.isfinite(value.item()) for value in losses)
    losses.objectness.backward()
    assert raw[0].grad is not None
    assert raw[0].grad[:, 4].min() > 0


def test_drivable_loss_is_softmax_cross_entropy() -> None:
    logits, labels = torch.randn(2, 2, 4, 5), torch.randint(0, 2, (2, 4, 5))
    loss = drivable_loss(logits, labels.float(), torch.ones(2, 4, 5))
    torch.testing.assert_close(loss, F.cross_entropy(logits, labels))


def test_focal_loss_without_focus_is_half_of_cross_entropy() -> None:
    logits, target = torch.randn(3, 7), torch.randint(0, 2, (3, 7)).float()
    loss = focal_loss(logits, target, torch.ones(3, 7), gamma=0, alpha=0.5)
    torch.testing.assert_close(loss, F.binary_cross_entropy_with_logits(logits, target) / 2)


def test_focal_loss_of_one_pixel_by_the_papers_formula() -> None:
    logit = torch.tensor([0.3])
    p = 1 / (1 + math.exp(-0.3))
    loss = focal_loss(logit, torch.ones(1), torch.ones(1), gamma=2.0, alpha=0.25)
    assert loss.item() == pytest.approx(-0.25 * (1 - p) ** 2 * math.log(p), rel=1e-5)


def test_overlap_losses_of_right_and_wrong_masks() -> None:
    target = torch.zeros(1, 20, 20)
    target[:, :10] = 1
    sure = (target - 0.5) * 40
    weight = torch.ones_like(target)
    right, wrong = overlap_losses(sure, target, weight), overlap_losses(-sure, target, weight)
    assert max(x.item() for x in right) < 1e-4
    assert min(x.item() for x in wrong) > 0.99


@pytest.mark.parametrize("loss", [focal_loss, lambda *a: sum(overlap_losses(*a))])
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
    (4 * focal_loss(logits, target, weight) + sum(overlap_losses(logits, target, weight)) / 2).backward()
    assert logits.grad is not None
    assert (logits.grad[:, :, 50] < 0).all()
