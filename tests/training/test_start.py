from pathlib import Path

import pytest
import torch

from yolopv2.checkpoints import CheckpointMeta
from yolopv2.checkpoints.weights import save_checkpoint
from yolopv2.network import Network, fuse
from yolopv2.network.network import calibrate
from yolopv2.training.config import make_config
from yolopv2.training.start import Anchors, Start, starting_network


def keep(anchors: Anchors) -> Anchors:
    return anchors


def images() -> torch.Tensor:
    return torch.rand(2, 3, 96, 128, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Network, str]:
    torch.manual_seed(0)
    network = Network("nano", classes=2)
    calibrate(network)
    path = tmp_path / "two.safetensors"
    save_checkpoint(network, path, CheckpointMeta.of(network, ["car", "bus"]))
    return network.eval(), str(path)


def begin(path: str, names: list[str], **settings: object) -> Start:
    return starting_network(make_config({"weights": path, **settings}), names, keep, images())


def test_the_same_classes_take_everything_over(saved: tuple[Network, str]) -> None:
    network, path = saved
    start = begin(path, ["car", "bus"])
    assert start.remarks == []
    for name, value in start.network.state_dict().items():
        assert torch.equal(value, network.state_dict()[name]), name


def test_classes_are_kept_by_name_and_new_ones_start_anew(saved: tuple[Network, str]) -> None:
    network, path = saved
    ours = ["person", "bus", "car"]
    start = begin(path, ours)
    assert start.remarks == [
        "The classes are person, bus, car instead of car, bus.",
        "person: the last layer of detection starts from random weights for these.",
        "bus, car: known to the weights, and kept.",
    ]
    x = images()
    with torch.no_grad():
        before, after = network(x), start.network.eval()(x)
    assert before.detections is not None
    assert after.detections is not None
    for old, new in zip(before.detections, after.detections, strict=True):
        old, new = (raw.unflatten(1, (3, -1)) for raw in (old, new))
        torch.testing.assert_close(new[:, :, [0, 1, 2, 3, 4, 6, 7]], old[:, :, [0, 1, 2, 3, 4, 6, 5]])
        assert not torch.isclose(new[:, :, 5], old[:, :, 5]).all()


def test_fewer_and_other_heads_are_told_of(saved: tuple[Network, str], tmp_path: Path) -> None:
    _, path = saved
    fewer = begin(path, ["car", "bus"], heads=["lanes"])
    assert fewer.network.heads == ("lanes",)
    assert "head for detection, drivable" in fewer.remarks[0]
    other = tmp_path / "lanes.safetensors"
    save_checkpoint(fewer.network, other, CheckpointMeta.of(fewer.network, ["car", "bus"]))
    more = begin(str(other), ["car", "bus"], heads=["drivable", "lanes"])
    assert "has no head for drivable: it starts from random weights" in more.remarks[0]


def test_deployed_weights_can_be_trained(tmp_path: Path, saved: tuple[Network, str]) -> None:
    deployed = fuse(saved[0])
    path = tmp_path / "deployed.safetensors"
    save_checkpoint(deployed, path, CheckpointMeta.of(deployed, ["car", "bus"]))
    start = begin(str(path), ["car", "bus"])
    assert "deployed form" in start.remarks[0]
    with torch.no_grad():
        before, after = deployed(images()).drivable, start.network.eval()(images()).drivable
    torch.testing.assert_close(after, before, atol=1e-3, rtol=1e-3)


def test_new_anchors_are_told_of(saved: tuple[Network, str]) -> None:
    halved = starting_network(
        make_config({"weights": saved[1]}), ["car", "bus"], lambda a: (torch.tensor(a) / 2).tolist(), images()
    )
    assert "anchors were clustered anew" in halved.remarks[0]
    torch.testing.assert_close(halved.network.anchors, saved[0].anchors / 2)


def test_without_weights_the_configuration_decides() -> None:
    start = starting_network(make_config({"variant": "nano", "encoder": "e-elan"}), ["a", "b", "c"], keep, images())
    assert (start.network.classes, start.network.encoder_name, start.remarks) == (3, "e-elan", [])
