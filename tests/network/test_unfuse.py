import torch

from yolopv2.network import Network, fuse
from yolopv2.network.network import calibrate
from yolopv2.network.unfuse import is_deployed, unfuse


def deployed_and_images() -> tuple[Network, torch.Tensor]:
    torch.manual_seed(0)
    network = Network("nano", classes=2)
    calibrate(network)
    return fuse(network), torch.rand(4, 3, 96, 128)


def outputs(network: Network, x: torch.Tensor) -> list[torch.Tensor]:
    with torch.no_grad():
        out = network(x)
    assert out.detections is not None
    assert out.drivable is not None
    assert out.lanes is not None
    return [*out.detections, out.drivable, out.lanes]


def test_it_is_the_same_function() -> None:
    network, images = deployed_and_images()
    trainable = unfuse(network, images)
    assert is_deployed(network)
    assert not is_deployed(trainable)
    other = torch.rand(1, 3, 64, 96)
    for before, after in zip(outputs(network, other), outputs(trainable, other), strict=True):
        torch.testing.assert_close(after, before, atol=1e-3, rtol=1e-3)


def test_in_training_mode_it_is_nearly_the_same_on_the_images_it_was_measured_on() -> None:
    network, images = deployed_and_images()
    trained = unfuse(network, images).train()
    before, after = outputs(network, images)[-2], outputs(trained, images)[-2]
    assert torch.corrcoef(torch.stack([before.flatten(), after.flatten()]))[0, 1] > 0.9


def test_it_has_the_names_of_the_training_form() -> None:
    network, images = deployed_and_images()
    expected = Network("nano", classes=2).state_dict()
    state = unfuse(network, images).state_dict()
    assert {name: value.shape for name, value in state.items()} == {n: v.shape for n, v in expected.items()}
