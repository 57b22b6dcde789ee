"""The deployed network against the logits of the network it is made of."""

import pytest
import torch

from yolopv2.network.deployed import DeployedNetwork


@pytest.mark.parametrize("size", [(64, 96), (32, 160)])
def test_probabilities_are_those_of_the_logits(network, size):
    image = torch.randint(0, 256, (2, *size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        out = network(image.permute(0, 3, 1, 2) / 255)
        deployed = DeployedNetwork(network)
        seen = dict(zip(deployed.output_names, deployed(image), strict=True))
    drivable = out.drivable.softmax(1)[:, 1]
    for name, probability in (("drivable", drivable), ("lanes", out.lanes[:, 0].sigmoid())):
        assert seen[name].shape == (2, *size)
        assert probability.std() > 0.005
        torch.testing.assert_close(seen[name] / 255, probability, atol=0.51 / 255, rtol=0)


def test_the_network_itself_stays_as_it_is(network):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    DeployedNetwork(network)
    assert network.drivable.layers[-1].conv.out_channels == 2
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])
