"""Pictures of what has none of its own: a legend under a mask, the graph of a workflow."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.ikomia.graph import Graph
from yolopv2.ikomia.task import Task
from yolopv2.scene import palette
from yolopv2.scene.palette import Colour

_FONT, _SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.5
_GREY: Colour = (90, 90, 90)

_BOX = (200, 44)
"""Width and height of a task in pixels."""

_GAP = (120, 26)
"""Space between columns and rows, in pixels."""

_ROW = 28
"""Height of a legend's row, in pixels."""

_ENTRY = 130
"""Width of an entry of a legend, in pixels."""


def legend(image: NDArray[np.uint8], names: Sequence[str], colours: Sequence[Colour]) -> NDArray[np.uint8]:
    """A picture with the names of its colours below.

    Args:
        image: uint8 ``[H, W, 3]`` RGB.
        names: What the colours mean.
        colours: One for each name.

    Returns:
        A new uint8 ``[H + rows, W, 3]`` RGB.
    """
    width = image.shape[1]
    columns = max(1, width // _ENTRY)
    strip = np.full((_ROW * -(-len(names) // columns), width, 3), 255, np.uint8)
    for number, (name, colour) in enumerate(zip(names, colours, strict=True)):
        x, y = _ENTRY * (number % columns) + 8, _ROW * (number // columns)
        cv2.rectangle(strip, (x, y + 7), (x + 16, y + 21), colour, cv2.FILLED)
        cv2.putText(strip, name, (x + 24, y + 19), _FONT, _SCALE, palette.BLACK, 1, cv2.LINE_AA)
    return np.vstack([image, strip])


def graph_picture(graph: Graph) -> NDArray[np.uint8]:
    """The tasks of a workflow from left to right, with their connections.

    Args:
        graph: The tasks.

    Returns:
        uint8 ``[H, W, 3]`` RGB. On an arrow stand the numbers of the outputs and of the inputs.
    """
    places = _places(graph)
    right = max(x for x, _ in places.values()) + _BOX[0] + _GAP[1]
    bottom = max(y for _, y in places.values()) + _BOX[1] + _GAP[1]
    canvas = np.full((bottom, right, 3), 255, np.uint8)
    for source, target in dict.fromkeys((edge.source, edge.target) for edge in graph.edges):
        _draw_connection(canvas, graph, source, target, places)
    for task, (x, y) in places.items():
        colour = palette.GREEN if task is graph.root else palette.BLUE
        cv2.rectangle(canvas, (x, y), (x + _BOX[0], y + _BOX[1]), colour, cv2.FILLED, cv2.LINE_AA)
        (width, height), _ = cv2.getTextSize(task.name, _FONT, _SCALE, 1)
        corner = (x + (_BOX[0] - width) // 2, y + (_BOX[1] + height) // 2)
        cv2.putText(canvas, task.name, corner, _FONT, _SCALE, palette.WHITE, 1, cv2.LINE_AA)
    return canvas


def _places(graph: Graph) -> dict[Task, tuple[int, int]]:
    """The upper left corner of every task; a task stands in the column after the last of those that feed it."""
    columns: dict[Task, int] = {graph.root: 0}
    for task in graph.order():
        columns[task] = 1 + max((columns[parent] for parent in graph.parents(task)), default=-1)
    rows: dict[int, int] = {}
    places = {}
    for task, column in columns.items():
        row = rows.get(column, 0)
        rows[column] = row + 1
        places[task] = (_GAP[1] + column * (_BOX[0] + _GAP[0]), _GAP[1] + row * (_BOX[1] + _GAP[1]))
    return places


def _draw_connection(
    canvas: NDArray[np.uint8], graph: Graph, source: Task, target: Task, places: dict[Task, tuple[int, int]]
) -> None:
    """One arrow for all connections of two tasks."""
    edges = [edge for edge in graph.edges if edge.source is source and edge.target is target]
    (x1, y1), (x2, y2) = places[source], places[target]
    start, end = (x1 + _BOX[0], y1 + _BOX[1] // 2), (x2 - 2, y2 + _BOX[1] // 2)
    if y1 == y2 and end[0] - start[0] > _GAP[0]:  # below the tasks in between
        below = y1 + _BOX[1] + _GAP[1] // 2
        bends = (start[0] + _GAP[1], below), (end[0] - _GAP[1], below)
        cv2.polylines(canvas, [np.array([start, *bends])], False, _GREY, 1, cv2.LINE_AA)
        tail = bends[1]
    else:
        tail, bends = start, (start, end)
    cv2.arrowedLine(canvas, tail, end, _GREY, 1, cv2.LINE_AA, tipLength=10 / max(end[0] - tail[0], 10))
    outputs, inputs = (",".join(str(edge[port]) for edge in edges) for port in (1, 3))
    text = f"{outputs} > {inputs}"
    (width, _), _ = cv2.getTextSize(text, _FONT, 0.35, 1)
    middle = ((bends[0][0] + bends[1][0] - width) // 2, (bends[0][1] + bends[1][1]) // 2 - 5)
    corner = middle if tail == start else (bends[0][0] + 4, bends[0][1] - 5)  # what crosses it has its text there
    cv2.putText(canvas, text, corner, _FONT, 0.35, _GREY, 1, cv2.LINE_AA)
