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


@pytest.mark.parametrize("names", [["car", "bus", "person"], ["bus", "car"]])
def test_other_classes_start_detection_anew_and_say_so(saved: tuple[Network, str], names: list[str]) -> None:
    network, path = saved
    start = begin(path, names)
    assert f"The classes are {', '.join(names)} instead of car, bus" in start.remarks[0]
    state, theirs = start.network.state_dict(), network.state_dict()
    assert start.network.classes == len(names)
    assert torch.equal(state["detection.rep.0.dense.conv.weight"], theirs["detection.rep.0.dense.conv.weight"])
    assert state["detection.predict.0.weight"].shape[0] == 3 * (5 + len(names))
    if len(names) == 2:
        assert not torch.equal(state["detection.predict.0.weight"], theirs["detection.predict.0.weight"])


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
