import torch

from yolopv2.network import Network, fuse
from yolopv2.training.precision import keep_strided_in_float32


def test_same_function_same_names() -> None:
    network = Network("nano", classes=1).eval()
    names = list(network.state_dict())
    x = torch.rand(1, 3, 64, 64)
    before = network(x).drivable
    keep_strided_in_float32(network)
    assert list(network.state_dict()) == names
    torch.testing.assert_close(network(x).drivable, before, rtol=0, atol=0)
    torch.testing.assert_close(fuse(network)(x).drivable, before, rtol=1e-4, atol=1e-5)


def test_precision_goes_on_as_it_came() -> None:
    network = Network("nano", classes=1, heads=["lanes"])
    keep_strided_in_float32(network)
    strided = network.encoder.stem[1]
    with torch.autocast("cpu", torch.bfloat16):
        y = strided(torch.rand(1, 8, 16, 16, dtype=torch.bfloat16))
    assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    assert strided.conv.weight.grad is not None  # type: ignore[union-attr]
    assert strided.conv.weight.grad.dtype == torch.float32  # type: ignore[union-attr]


def test_a_network_cast_to_bfloat16_still_runs() -> None:
    network = Network("nano", classes=1, heads=["lanes"]).eval()
    keep_strided_in_float32(network)
    lanes = fuse(network).to(torch.bfloat16)(torch.rand(1, 3, 32, 32, dtype=torch.bfloat16)).lanes
    assert lanes is not None
    assert lanes.dtype == torch.bfloat16
