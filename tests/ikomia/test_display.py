"""display writes what there is to be seen into a file and says where, or shows it in a notebook."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from yolopv2.errors import YolopError
from yolopv2.ikomia import Workflow, display
from yolopv2.ikomia.outputs import CLASSES, COLOURS
from yolopv2.ikomia.picture import graph_picture
from yolopv2.media import open_source
from yolopv2.scene import palette


@pytest.fixture(autouse=True)
def no_desktop(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")


def shown(thing, **options):
    """What is in the file that display writes."""
    with open_source(display(thing, **options)) as source:
        (frame,) = source
    return frame.image


def test_a_picture_becomes_a_file_that_is_named(capsys, folder, pictures):
    np.testing.assert_array_equal(shown(pictures[4], title="a/b c"), pictures[4])
    assert capsys.readouterr().out == "written to runs/display/a_b_c.png\n"
    assert display(pictures[4], title="a/b c").name == "a_b_c-2.png"
    assert (folder / "runs/display/a_b_c-2.png").exists()


def test_a_mask_has_its_colours_and_their_legend(pictures):
    mask = np.zeros((60, 300), np.uint8)
    mask[20:40], mask[40:] = 1, 2
    picture = shown(mask)
    for value, colour in enumerate(COLOURS):
        assert (picture[:60][mask == value] == colour).all()
    strip = picture[60:]
    assert all((strip == colour).all(axis=-1).sum() > 200 for colour in COLOURS), "a patch of each"
    assert len(strip) == 28 * 2, "three entries at two a row"


def test_everything_that_a_task_gives_can_be_shown(perceive, pictures, capsys):
    wf, algo = perceive()
    wf.run_on(array=pictures[3])
    np.testing.assert_array_equal(shown(algo), algo.get_image_with_mask_and_graphics())
    np.testing.assert_array_equal(shown(algo.get_output(0)), pictures[3])
    capsys.readouterr()
    np.testing.assert_array_equal(shown(algo.get_output(1)), algo.get_image_with_graphics())
    table = capsys.readouterr().out
    for found in algo.get_output(1).get_objects()[:3]:
        assert f"{found['confidence']:.3f}" in table
        assert found["label"] in table
    height = pictures[3].shape[0]
    np.testing.assert_array_equal(shown(algo.get_output(2))[:height], algo.get_image_with_mask())
    assert display(algo.get_output(3)) is None
    assert "lanes" in capsys.readouterr().out


def test_a_workflow_is_shown_as_boxes_and_arrows():
    wf = Workflow()
    algo = wf.add_task(name="infer_yolop_v2", auto_connect=True)
    wf.connect_tasks(wf.root(), wf.add_task(name="write"), [(0, 0)])
    alone = graph_picture(Workflow().graph)
    picture = shown(wf)
    np.testing.assert_array_equal(picture, graph_picture(wf.graph))
    assert picture.shape[0] > alone.shape[0]
    assert picture.shape[1] > alone.shape[1]
    assert (picture == palette.GREEN).all(axis=-1).sum() > 2000, "the root"
    assert (picture == palette.BLUE).all(axis=-1).sum() > 2 * 2000, "the tasks"
    wf.remove_task(algo)
    assert not np.array_equal(graph_picture(wf.graph)[:, : alone.shape[1]], picture[:, : alone.shape[1]])


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (None, "road_lane is False"),
        ("street.jpg", "a str cannot be shown"),
        (np.zeros((2, 3, 5), np.uint8), "shape"),
        (np.zeros((0, 3, 3), np.uint8), "shape|empty|pixel"),
    ],
)
def test_what_cannot_be_shown_is_refused(thing, message, folder):
    with pytest.raises(YolopError, match=message):
        display(thing)
    assert not (folder / "runs").exists()


def test_a_task_that_has_not_run_says_so(perceive):
    with pytest.raises(YolopError, match="has not run yet"):
        display(perceive()[1])


def test_a_notebook_shows_the_picture_itself(monkeypatch, folder, pictures):
    shown_there = []
    notebook = ModuleType("IPython")
    notebook.get_ipython = lambda: SimpleNamespace(kernel=True)
    cells = ModuleType("IPython.display")
    cells.Image, cells.display = lambda data: data, shown_there.append
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    monkeypatch.setitem(sys.modules, "IPython.display", cells)
    assert display(pictures[0]) is None
    assert shown_there[0].startswith(b"\x89PNG")
    assert not (folder / "runs").exists()


def test_a_desktop_opens_the_file(monkeypatch, pictures):
    opened = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("typer.launch", opened.append)
    assert opened == [str(display(pictures[0]))]


def test_the_legend_has_a_colour_for_every_class():
    assert len(CLASSES) == len(COLOURS) == len(set(COLOURS))
