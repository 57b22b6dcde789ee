"""The official path, as it is measured, sees what ours sees: else a comparison would prove nothing."""

import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
FOLDER = Path(__file__).parents[2] / "benchmarks"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")


@pytest.fixture(scope="module")
def demo():
    sys.path.insert(0, str(FOLDER))
    import demo

    yield demo
    sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def torchscript(demo, network, tmp_path_factory):
    path = tmp_path_factory.mktemp("official") / "official.pt"
    demo.write_torchscript(network, path)
    return path


def test_its_file_has_the_released_form(torchscript, network):
    with torch.no_grad():
        (maps, anchors), drivable, lanes = torch.jit.load(torchscript)(torch.zeros(1, 3, 384, 640))
    assert [level.shape[1:] for level in maps] == [(21, 48, 80), (21, 24, 40), (21, 12, 20)]
    assert [tuple(anchor.shape) for anchor in anchors] == [(1, 3, 1, 1, 2)] * 3
    assert (drivable.shape, lanes.shape) == ((1, 2, 384, 640), (1, 1, 384, 640))
    assert 0 <= float(drivable.min()) <= float(drivable.max()) <= 1
    from yolopv2.checkpoints.torchscript import import_torchscript

    assert import_torchscript(torchscript).network.classes == network.classes


def test_both_paths_see_the_same(demo, torchscript, nano_graph):
    sys.path.insert(0, str(FOLDER))
    import official

    from yolopv2 import YOLOPv2
    from yolopv2.data.synthetic import render_scene

    image = render_scene(7).image
    theirs = demo.OfficialDemo(torchscript).seen(image)
    ours = official.seen_by_ours(YOLOPv2(nano_graph, device="cpu", precision="float32"), image)
    for name in ("drivable", "lanes"):
        assert np.abs(ours[name] - theirs[name]).mean() < 0.003
        assert (ours[f"{name}_mask"] != theirs[f"{name}_mask"]).mean() < 0.03
    same, shift = official.matched(theirs, ours)
    assert len(theirs["boxes"]) > 3
    # Theirs are suppressed before they are cut at the frame's edges, ours afterwards, and random ones lie everywhere.
    assert same >= 0.75 * len(theirs["boxes"])
    assert shift < 1, "they round to whole pixels"


def test_a_section_replaces_its_own_and_no_other(demo, tmp_path):
    from sections import write_section

    page = tmp_path / "results.md"
    page.write_text("# Last results\n\n## One\n\nold\n\n## Two\n\nstays\n")
    write_section("One", "new\n\n| a |\n", page)
    write_section("Three", "added", page)
    assert page.read_text() == "# Last results\n\n## One\n\nnew\n\n| a |\n\n## Two\n\nstays\n\n## Three\n\nadded\n"
    write_section("Three", "again", page)
    assert page.read_text().endswith("stays\n\n## Three\n\nagain\n")


def test_random_weights_give_boxes_to_compare(demo):
    import official

    from yolopv2.data.synthetic import render_scene

    network = official.random_network("nano")
    assert all(torch.equal(p, p.half().float()) for p in network.parameters())
    image = render_scene(7).image
    x = torch.from_numpy(demo._letterbox(image)).permute(2, 0, 1)[None] / 255
    with torch.no_grad():
        (maps, anchors), _, _ = demo.ReleasedForm(network)(x)
        boxes = demo.suppress(demo.decode(maps, anchors)[0])
    assert 10 < len(boxes) <= 300
