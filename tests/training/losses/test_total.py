import pytest
import torch

from yolopv2.errors import YolopError
from yolopv2.network import Network
from yolopv2.training.loader import Batch
from yolopv2.training.losses import LossConfig, TaskUncertainty, loss_sums, losses_of


def batch(frames: int = 4) -> Batch:
    torch.manual_seed(0)
    corners = torch.rand(6, 2) * 40
    boxes = torch.cat([corners, corners + 5 + 20 * torch.rand(6, 2)], 1)
    targets = torch.cat([torch.randint(0, frames, (6, 1)).float(), torch.zeros(6, 1), boxes], 1)
    maps = torch.randint(0, 256, (frames, 4, 64, 96), dtype=torch.uint8)
    images = torch.randint(0, 256, (frames, 3, 64, 96), dtype=torch.uint8)
    return Batch(images, maps, targets, torch.ones(frames, dtype=torch.bool))


def part(whole: Batch, first: int, last: int) -> Batch:
    inside = (whole.targets[:, 0] >= first) & (whole.targets[:, 0] < last)
    targets = whole.targets[inside] - torch.tensor([float(first), 0, 0, 0, 0, 0])
    return Batch(whole.images[first:last], whole.maps[first:last], targets, whole.labelled[first:last])


@pytest.mark.parametrize("assigner", ["simota", "anchors"])
def test_sums_of_halves_add_up_to_those_of_the_whole(assigner) -> None:  # type: ignore[no-untyped-def]
    network, whole, config = Network("nano", classes=1).eval(), batch(), LossConfig(assigner=assigner)

    def sums(b: Batch) -> dict[str, torch.Tensor]:
        with torch.no_grad():
            return loss_sums(network(b.images.float() / 255), b, network.anchors, config)

    one, first, second = sums(whole), sums(part(whole, 0, 1)), sums(part(whole, 1, 4))
    assert one["positives"] > 0
    for name, value in one.items():
        torch.testing.assert_close(first[name] + second[name], value, rtol=1e-4, atol=1e-3)


def test_only_the_heads_there_are_have_losses() -> None:
    network, b = Network("nano", classes=1, heads=["lanes"]), batch()
    losses = losses_of(loss_sums(network(b.images.float() / 255), b, network.anchors, LossConfig()), LossConfig())
    assert set(losses) == {"lane_focal", "lane_dice", "lane_iou"}


def test_labels_that_are_missing_everywhere_add_nothing() -> None:
    network, b = Network("nano", classes=1), batch()
    b.maps.zero_()
    b = b._replace(targets=torch.zeros(0, 6), labelled=torch.zeros(4, dtype=torch.bool))
    losses = losses_of(loss_sums(network(b.images.float() / 255), b, network.anchors, LossConfig()), LossConfig())
    assert all(value.item() == 0 for value in losses.values())
    torch.stack(list(losses.values())).sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in network.parameters())


def test_weights_weigh_and_tversky_is_an_option() -> None:
    network, b = Network("nano", classes=1).eval(), batch()
    sums = loss_sums(network(b.images.float() / 255), b, network.anchors, LossConfig())
    once, twice = losses_of(sums, LossConfig()), losses_of(sums, LossConfig(drivable=2.0, lane_tversky=0.5))
    torch.testing.assert_close(twice["drivable"], 2 * once["drivable"])
    assert set(twice) - set(once) == {"lane_tversky"}


def test_uncertainty_settles_where_the_formula_says() -> None:
    """exp(-s) L + s / 2 is least where exp(-s) = 1 / (2 L): a task of large loss gets a small weight."""
    balance = TaskUncertainty()
    losses = {"box": torch.tensor(3.0), "objectness": torch.tensor(1.0), "drivable": torch.tensor(0.25)}
    optimizer = torch.optim.Adam(balance.parameters(), lr=0.05)
    for _ in range(500):
        optimizer.zero_grad()
        balance(losses).backward()
        optimizer.step()
    weight = {task: torch.exp(-s).item() for task, s in balance.log_variance.items()}
    assert weight["detection"] == pytest.approx(1 / 8, rel=0.02)
    assert weight["drivable"] == pytest.approx(2.0, rel=0.02)
    assert weight["lanes"] == 1.0


@pytest.mark.parametrize("wrong", [{"box": -1}, {"lane_alpha": 2}, {"lane_gamma": float("nan")}])
def test_weights_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(YolopError, match=f"loss.{next(iter(wrong))}"):
        LossConfig(**wrong)  # type: ignore[arg-type]
