"""What every runtime has in common."""

import json
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
        streams: Calls that are worth making at once, each from a thread of its own; 1 where one uses the whole device.
    """

    names: dict[int, str]
    description: str
    streams: int

    def __call__(self, batch: NDArray[np.uint8], alone: bool = True) -> Candidates:
        """Looks at canvases; may be called from several threads.

        Args:
            batch: uint8 ``[N, H, W, 3]``, RGB, H and W multiples of 32.
            alone: Whether no other call goes on beside this one, so that it may use the whole device.

        Returns:
            Candidates of every canvas, in arrays of their own.
        """
        ...


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
