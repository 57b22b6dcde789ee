"""The network at every width, with any heads and classes, at any batch and size; and its deployed form."""

import itertools

import pytest
import torch

from yolopv2.errors import YolopError
from yolopv2.network import ALL_HEADS, HEADS, VARIANTS, Network, fuse, variant
from yolopv2.network.deployed import DeployedNetwork
from yolopv2.network.heads import STRIDES
from yolopv2.network.network import calibrate
from yolopv2.network.summary import summarise


def calibrated(*args, **options) -> Network:
    torch.manual_seed(0)
    network = Network(*args, **options)
    calibrate(network)
    return network.eval()


def tensors(outputs) -> list[torch.Tensor]:
    masks = [] if outputs.masks is None else [outputs.masks.prototypes, *outputs.masks.coefficients]
    return [*(outputs.detections or []), *(x for x in (outputs.drivable, outputs.lanes) if x is not None), *masks]


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("encoder", ["elan", "e-elan"])
def test_deployed_equals_training_form(encoder, implicit):
    network = calibrated("nano", classes=2, encoder=encoder).double()
    deployed = fuse(network, implicit=implicit)
    image = torch.rand(2, 3, 64, 96, dtype=torch.float64)
    with torch.inference_mode():
        for expected, actual in zip(tensors(network(image)), tensors(deployed(image)), strict=True):
            assert (actual - expected).norm() <= 1e-5 * expected.norm()
            assert expected.std() > 1e-3  # a comparison of nothing with nothing would prove nothing


def test_base_deployed_equals_training_form():
    network = calibrated("base").double()
    image = torch.rand(1, 3, 32, 64, dtype=torch.float64)
    with torch.inference_mode():
        for expected, actual in zip(tensors(network(image)), tensors(fuse(network, implicit=True)(image)), strict=True):
            assert (actual - expected).norm() <= 1e-5 * expected.norm()


def test_folding_twice_changes_nothing():
    once = fuse(calibrated("nano", classes=1), implicit=True)
    twice = fuse(once, implicit=True)
    assert once.state_dict().keys() == twice.state_dict().keys()
    assert all(torch.equal(once.state_dict()[name], tensor) for name, tensor in twice.state_dict().items())
    assert not any("implicit" in name or "running" in name for name in once.state_dict())


SUBSETS = [set(heads) for count in (1, 2, 3) for heads in itertools.combinations(HEADS, count)]


@pytest.mark.parametrize("heads", SUBSETS, ids=lambda heads: "+".join(sorted(heads)))
def test_any_classes_heads_batch_and_size(heads):
    number = SUBSETS.index(heads)
    classes, batch, height, width = 1 + 5 * number, 1 + number % 3, 32 * (1 + number % 4), 32 * (1 + number % 5)
    with torch.inference_mode():
        outputs = Network("nano", classes, heads).eval()(torch.zeros(batch, 3, height, width))
    expected = {
        "detection": [(batch, 3 * (5 + classes), height // s, width // s) for s in STRIDES],
        "drivable": [(batch, 2, height, width)],
        "lanes": [(batch, 1, height, width)],
    }
    assert [tuple(x.shape) for x in tensors(outputs)] == [shape for h in HEADS if h in heads for shape in expected[h]]
    assert [x is not None for x in outputs] == [head in heads for head in ALL_HEADS]


@pytest.mark.parametrize("head", HEADS)
def test_a_head_alone_sees_what_it_saw_among_others(head):
    whole, alone = calibrated("nano", classes=1), Network("nano", 1, [head]).eval()
    missing, _ = alone.load_state_dict(whole.state_dict(), strict=False)
    assert missing == []
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected, actual = whole(image)[HEADS.index(head)], alone(image)[HEADS.index(head)]
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "millions", "gflop"), [("nano", 3, 6), ("small", 12, 25), ("base", 39.7, 72.5)])
def test_sizes_of_the_variants(name, millions, gflop):
    with torch.device("meta"):
        summary = summarise(Network(name, classes=80))
    assert summary.parameters <= millions * 1e6
    assert summary.flop <= gflop * 1e9


def test_summary_of_base():
    with torch.device("meta"):
        summary = summarise(Network("base"))
    assert summary.flop / 1e9 == pytest.approx(72.4, abs=0.05)
    assert summary.deployed_parameters == sum(stage.parameters for stage in summary.stages) == 38_954_661
    assert summary.flop == sum(stage.flop for stage in summary.stages)
    assert summary.taps == {"F4": (512, 16), "F3": (256, 8), "N3": (128, 8), "N4": (256, 16), "N5": (512, 32)}
    backbone = ("stem", "stage", "down", "context")
    macs = sum(s.flop for s in summary.stages if s.name.removeprefix("encoder.").startswith(backbone)) / 2e9
    assert macs == pytest.approx(19.8 + 1.8, abs=0.1)  # the published split counts the pyramid pooling to the neck


def test_summary_of_a_part():
    summary = summarise(Network("nano", heads=["drivable"]), 64, 96)
    assert list(summary.taps) == ["F4"]
    assert [stage.name for stage in summary.stages][-1] == "drivable"


def test_e_elan_differs_and_trains():
    network = Network("nano", 1, encoder="e-elan")
    assert any(m.groups == 2 for m in network.modules() if isinstance(m, torch.nn.Conv2d))
    sum(x.mean() for x in tensors(network(torch.rand(2, 3, 32, 64)))).backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant_name": "huge"}, "nano, small, base"),
        ({"heads": []}, "choose from detection, drivable, lanes"),
        ({"heads": ["wheels"]}, "wheels"),
        ({"encoder": "vit"}, "elan, e-elan"),
        ({"classes": 0}, "at least one class"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(YolopError, match=message):
        Network(**{"variant_name": "nano", **options})


def test_wrong_size():
    with pytest.raises(YolopError, match="multiples of 32 pixels, not 100x64"):
        Network("nano")(torch.zeros(1, 3, 64, 100))


def test_widths():
    assert variant("base").channels(255) == 255
    for plan in VARIANTS.values():
        assert all(plan.channels(c) % 8 == 0 for c in (8, 16, 32, 64, 128, 256, 512, 1024))


def test_deployed_network_gives_candidates_and_bytes():
    network = calibrated("nano", classes=2)
    image = torch.randint(0, 256, (2, 64, 96, 3), dtype=torch.uint8)
    deployed = DeployedNetwork(network).eval()
    with torch.inference_mode():
        boxes, scores, drivable, lanes = deployed(image)
        raw = network(image.permute(0, 3, 1, 2) / 255)
    candidates = sum(3 * (64 // s) * (96 // s) for s in STRIDES)
    assert boxes.shape == (2, candidates, 4)
    assert scores.shape == (2, candidates, 2)
    assert drivable.shape == lanes.shape == (2, 64, 96)
    assert drivable.dtype == lanes.dtype == torch.uint8
    assert ((scores >= 0) & (scores <= 1)).all()
    expected = raw.lanes[:, 0].sigmoid() * 255
    assert (lanes.float() - expected).abs().max() <= 0.51
    assert ((drivable > 127) == (raw.drivable[:, 1] > raw.drivable[:, 0])).float().mean() > 0.999
