import pytest
import torch

from yolopv2.network import HEADS, Network
from yolopv2.training.freeze import freeze, parts_of


@pytest.mark.parametrize("part", ["backbone", "neck", "encoder", *HEADS])
def test_a_frozen_part_keeps_weights_and_statistics(part: str) -> None:
    network = Network("nano", classes=1)
    freeze(network, [part])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    out = network(torch.rand(2, 3, 64, 96))
    assert out.detections is not None
    assert out.drivable is not None
    assert out.lanes is not None
    (
        sum(d.square().mean() for d in out.detections) + out.drivable.square().mean() + out.lanes.square().mean()
    ).backward()
    frozen = {id(t) for module in parts_of(network, [part]) for t in [*module.parameters(), *module.buffers()]}
    assert frozen
    for name, parameter in network.named_parameters():
        assert (parameter.grad is None) == (id(parameter) in frozen), name
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            assert torch.equal(buffer, before[name]) == (id(buffer) in frozen), name


def test_the_parts_are_the_whole_network() -> None:
    network = Network("nano", classes=1)
    parts = list(parts_of(network, ["encoder", *HEADS]))
    assert sum(p.numel() for part in parts for p in part.parameters()) == sum(p.numel() for p in network.parameters())
    halves = list(parts_of(network, ["backbone", "neck"]))
    assert [id(p) for p in halves] == [id(p) for p in parts_of(network, ["encoder"])]
