"""display: shows pictures, detections, masks, tasks and workflows, wherever the program runs."""

import os
import sys
from functools import singledispatch
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from yolopv2.errors import YolopError
from yolopv2.files import encode_image, write_bytes_atomic
from yolopv2.ikomia.outputs import CLASSES, COLOURS, DataDictIO, DetectionIO, ImageIO, SegmentationIO
from yolopv2.ikomia.picture import graph_picture, legend
from yolopv2.ikomia.task import Task
from yolopv2.ikomia.workflow import Workflow
from yolopv2.media.arrays import array_to_rgb

FOLDER = Path("runs", "display")
"""Where pictures go that no notebook shows."""


def display(shown: Any, title: str = "") -> Path | None:
    """Shows something: in a notebook below the cell; elsewhere as a PNG file, which a desktop opens at once.

    Args:
        shown: A picture (``[H, W, 3]`` RGB or grey array), a mask of this package's classes (``[H, W]`` of 0, 1, 2),
            an output of a task, a task, or a workflow. Of detections a table is printed too.
        title: Name of the file.

    Returns:
        The file, or None in a notebook.

    Raises:
        YolopError: It is nothing that can be shown, or the file cannot be written.
    """
    picture = _picture(shown)
    for table in _tables(shown):
        Console().print(table)
    if picture is None:
        return None
    png = encode_image(picture, ".png")
    if _in_notebook():
        notebook = import_module("IPython.display")
        notebook.display(notebook.Image(data=png))
        return None
    path = _free_path(title or type(shown).__name__)
    write_bytes_atomic(path, png)
    print(f"written to {path}")
    if _on_desktop():
        import typer

        typer.launch(str(path))
    return path


@singledispatch
def _picture(shown: Any) -> NDArray[np.uint8] | None:
    """What is to be seen of something."""
    if shown is None:
        raise YolopError("there is nothing to show: this output is empty, such as the mask where road_lane is False")
    raise YolopError(f"a {type(shown).__name__} cannot be shown: give a picture, mask, output, task or workflow")


@_picture.register
def _(shown: np.ndarray) -> NDArray[np.uint8]:
    if shown.ndim == 2 and shown.size and shown.dtype in (np.uint8, np.bool_) and shown.max() < len(CLASSES):
        return _mask_picture(shown.astype(np.uint8))
    return array_to_rgb(shown)


@_picture.register
def _(shown: ImageIO) -> NDArray[np.uint8]:
    return shown.get_image()


@_picture.register
def _(shown: DetectionIO) -> NDArray[np.uint8]:
    return shown.get_image_with_graphics()


@_picture.register
def _(shown: SegmentationIO) -> NDArray[np.uint8] | None:
    return None if shown.mask is None else legend(shown.get_image_with_mask(), CLASSES, COLOURS)


@_picture.register
def _(shown: DataDictIO) -> None:
    return None


@_picture.register
def _(shown: Task) -> NDArray[np.uint8]:
    return shown.get_image_with_mask_and_graphics()


@_picture.register
def _(shown: Workflow) -> NDArray[np.uint8]:
    return graph_picture(shown.graph)


def _mask_picture(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A mask in its colours, with their legend."""
    return legend(np.asarray(np.array(COLOURS, np.uint8)[mask], np.uint8), CLASSES, COLOURS)


def _tables(shown: Any) -> list[Table]:
    if isinstance(shown, Task):
        return [table for io in shown.get_outputs() for table in _tables(io)]
    if isinstance(shown, DetectionIO):
        table = Table("id", "label", "confidence", "x", "y", "width", "height")
        for found in shown.get_objects():
            box = (f"{value:.1f}" for value in found["box"].values())
            table.add_row(str(found["id"]), found["label"], f"{found['confidence']:.3f}", *box)
        return [table]
    if isinstance(shown, DataDictIO):
        table = Table("name", "value")
        for name, value in shown.data.items():
            table.add_row(name, str(value))
        return [table]
    return []


def _in_notebook() -> bool:
    """Whether this runs in a kernel that shows pictures."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell is not None and hasattr(shell, "kernel")


def _on_desktop() -> bool:
    """Whether there is a screen with windows."""
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _free_path(name: str) -> Path:
    """The first of ``name.png``, ``name-2.png`` and so on that is not there yet."""
    stem = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)[:80]
    number = 1
    while (path := FOLDER / (f"{stem}.png" if number == 1 else f"{stem}-{number}.png")).exists():
        number += 1
    return path
