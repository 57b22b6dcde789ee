import pytest

from yolopv2.errors import YolopError

torch = pytest.importorskip("torch")

from yolopv2.network import Network, fuse  # noqa: E402
from yolopv2.network.restrict import restrict  # noqa: E402


@pytest.fixture(scope="module")
def image():
    return torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("deployed", [False, True])
@pytest.mark.parametrize("heads", [["lanes"], ["drivable"], ["detection"], ["detection", "lanes"]])
def test_the_asked_heads_give_what_the_whole_network_gives(network, image, heads, deployed):
    whole = fuse(network) if deployed else network
    part = restrict(whole, heads)
    with torch.inference_mode():
        ours, theirs = part(image), whole(image)
    for name in ("drivable", "lanes"):
        assert torch.equal(getattr(ours, name), getattr(theirs, name)) if name in heads else getattr(ours, name) is None
    assert (ours.detections is None) == ("detection" not in heads)
    if ours.detections is not None:
        assert all(torch.equal(a, b) for a, b in zip(ours.detections, theirs.detections, strict=True))
    assert sum(p.numel() for p in part.parameters()) < sum(p.numel() for p in whole.parameters())
    assert not part.training


@pytest.mark.parametrize("deployed", [False, True])
def test_the_asked_classes_have_the_logits_they_had(image, deployed):
    from yolopv2.network.network import calibrate

    many = Network("nano", classes=9).eval()
    calibrate(many, torch.Generator().manual_seed(1))
    with torch.no_grad():
        for im in many.detection.im:
            im.implicit.normal_(1, 0.3)
    many = fuse(many) if deployed else many
    part = restrict(many, classes=[7, 2])
    with torch.inference_mode():
        ours, theirs = part(image), many(image)
    for few, all_of_them in zip(ours.detections, theirs.detections, strict=True):
        rows = all_of_them.unflatten(1, (3, 14))[:, :, [0, 1, 2, 3, 4, 12, 7]].flatten(1, 2)
        torch.testing.assert_close(few, rows, rtol=1e-5, atol=1e-5)  # fewer outputs, summed in another order
    assert torch.equal(ours.lanes, theirs.lanes)
    assert part.classes == 2


def test_anchors_travel(image):
    network = Network("nano", classes=2, anchors=[[[i + j, 9.0] for j in range(3)] for i in range(3)])
    assert torch.equal(restrict(network, ["detection"]).anchors, network.anchors)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": ["wings"]}, "no head 'wings'; it has: detection, drivable, lanes"),
        ({"heads": []}, "heads"),
        ({"classes": [2]}, r"0 to 1, not \[2\]"),
        ({"classes": [-1]}, r"0 to 1"),
        ({"classes": []}, "some ids"),
    ],
)
def test_what_the_network_lacks_is_named(network, options, message):
    with pytest.raises(YolopError, match=message):
        restrict(network, **options)
