"""What every runtime has in common."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError
from yolopv2.inference.candidates import Candidates

PRECISIONS = ("float32", "bfloat16", "float16")

METADATA_KEY = "yolopv2"
"""Key under which an exported graph carries its metadata."""


class Runtime(Protocol):
    """An engine with a network loaded into it.

    A canvas gives the same candidates whatever else is in its batch.

    Attributes:
        names: Class names by class id.
        description: Engine, device and precision, for people.
    """

    names: dict[int, str]
    description: str

    def __call__(self, batch: NDArray[np.uint8]) -> Candidates:
        """Looks at canvases.

        Args:
            batch: uint8 ``[N, H, W, 3]``, RGB, H and W multiples of 32.

        Returns:
            Candidates of every canvas, in arrays of their own.
        """
        ...


def require_canvas(takes: Sequence[object], batch: NDArray[np.uint8], graph: Path) -> None:
    """Refuses canvases that a graph exported for one size does not take.

    Args:
        takes: The shape of the graph's input; what is no number is free.
        batch: uint8 ``[N, H, W, 3]``.
        graph: Its file, for the message.

    Raises:
        YolopError: The graph takes another size.
    """
    height, width = takes[1:3]
    if isinstance(height, int) and isinstance(width, int) and (height, width) != batch.shape[1:3]:
        raise YolopError(
            f"{graph} takes canvases of {width}x{height} only, not {batch.shape[2]}x{batch.shape[1]}: give size="
            f"{max(height, width)} and frames of that shape, or export it for any size, without --static"
        )


def graph_names(metadata: str | None, path: Path) -> dict[int, str]:
    """The class names in the metadata of an exported graph.

    Args:
        metadata: JSON that the graph carries, or None if it carries none.
        path: The graph's file, for the message.

    Raises:
        YolopError: The graph is none of this package's.

    Example:
        >>> graph_names('{"names": ["car", "bus"]}', Path("my.onnx"))
        {0: 'car', 1: 'bus'}
    """
    try:
        names = json.loads(metadata or "")["names"]
        return {index: str(name) for index, name in enumerate(names)}
    except (ValueError, KeyError, TypeError):
        raise YolopError(f"{path} was not written by yolopv2: make it with 'yolopv2 export'") from None
