import math

import pytest
import torch

from yolopv2.network.decode import decode
from yolopv2.training.losses.detection import Assigner, assign, detection_sums

ANCHORS = torch.tensor(
    [[[12.0, 16], [19, 36], [40, 28]], [[36, 75], [76, 55], [72, 146]], [[142, 110], [192, 243], [459, 401]]]
)
BOTH = torch.tensor([True, True])


def maps(classes: int = 1) -> list[torch.Tensor]:
    return [torch.zeros(2, 3 * (5 + classes), 64 // s, 96 // s, requires_grad=True) for s in (8, 16, 32)]


@pytest.mark.parametrize("assigner", ["simota", "anchors"])
@pytest.mark.parametrize("gamma", [0.0, 1.5])
def test_descending_the_loss_finds_the_box(assigner: Assigner, gamma: float) -> None:
    """The raw maps themselves are optimised: what the loss teaches, the decoder must read."""
    target = torch.tensor([[0.0, 1, 20, 10, 50, 40]])
    raw = maps(classes=2)
    optimizer = torch.optim.Adam(raw, lr=0.3)
    for step in range(150):
        optimizer.param_groups[0]["lr"] = 0.3 if step < 100 else 0.03
        sums = detection_sums(raw, target, ANCHORS, BOTH, assign(raw, target, ANCHORS, assigner), gamma)
        optimizer.zero_grad()
        (sum(sums[:3]) / sums.positives).backward()  # type: ignore[union-attr]
        optimizer.step()
    boxes, scores = decode([r.detach() for r in raw], ANCHORS)
    best = scores[0, :, 1].argmax()
    torch.testing.assert_close(boxes[0, best], target[0, 2:], atol=1.0, rtol=0)
    assert scores[0, best, 1] > 0.8
    assert scores[0, :, 0].max() < 0.3
    assert scores[1].max() < 0.15


def test_frames_without_box_labels_teach_nothing() -> None:
    raw = maps()
    none = torch.zeros(0, 6)
    sums = detection_sums(raw, none, ANCHORS, ~BOTH, assign(raw, none, ANCHORS))
    sum(sums[:3]).backward()  # type: ignore[union-attr]
    assert all(not r.grad.any() for r in raw if r.grad is not None)


def test_no_objects_is_finite_and_lowers_objectness() -> None:
    raw = maps()
    none = torch.zeros(0, 6)
    sums = detection_sums(raw, none, ANCHORS, BOTH, assign(raw, none, ANCHORS))
    assert sums.positives == 0
    assert all(math.isfinite(value.item()) for value in sums)
    sums.objectness.backward()
    assert raw[0].grad is not None
    assert raw[0].grad[:, 4].min() > 0


def test_objectness_learns_the_overlap() -> None:
    """At every positive, and there alone, objectness is pulled towards the CIoU of the box predicted there."""
    torch.manual_seed(0)
    raw = [torch.randn(2, 18, 64 // s, 96 // s) for s in (8, 16, 32)]
    target = torch.tensor([[1.0, 0, 20, 10, 50, 40]])
    low, high = ([r.clone() for r in raw] for _ in range(2))
    for a, b in zip(low, high, strict=True):
        a.view(2, 3, 6, *a.shape[2:])[:, :, 4] = -20
        b.view(2, 3, 6, *b.shape[2:])[:, :, 4] = 20
    sums_low, sums_high = (
        detection_sums(r, target, ANCHORS, BOTH, assign(r, target, ANCHORS, "anchors")) for r in (low, high)
    )
    anchors_of_all = sum(r[:, 0].numel() * 3 for r in raw)
    # BCE at a logit of -20 is 20 t, at +20 it is 20 (1 - t): their sum says how many, the first alone the overlaps.
    assert (sums_low.objectness + sums_high.objectness).item() == pytest.approx(20 * anchors_of_all, rel=1e-4)
    assert 0 < sums_low.objectness.item() <= 20 * sums_low.positives.item()
