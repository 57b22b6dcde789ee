"""What every runtime has in common."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.classes import Classes, class_ids

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


_OUTPUTS = {
    "detection": ("boxes", "scores", "class_ids"),
    "drivable": ("drivable",),
    "lanes": ("lanes",),
    "masks": ("coefficients", "prototypes"),
}
"""What each head gives in an exported graph; ``class_ids`` only where the graph itself suppresses boxes."""


def head_outputs(outputs: Sequence[str], heads: Collection[str] | None) -> list[str]:
    """The outputs of an exported graph that belong to some heads.

    Args:
        outputs: Names of all outputs.
        heads: The heads; all if None.

    Raises:
        YolopError: The graph lacks a head, or none is asked for.

    Example:
        >>> head_outputs(["boxes", "scores", "lanes"], ["detection"])
        ['boxes', 'scores']
    """
    there = [head for head, names in _OUTPUTS.items() if names[0] in outputs]
    wrong = ["none given"] if heads is not None and not heads else sorted(set(heads or ()) - set(there))
    if wrong:
        raise YolopError(f"the network has no head {wrong[0]!r}; it has: {', '.join(there)}")
    wanted = [name for head in there if heads is None or head in heads for name in _OUTPUTS[head]]
    return [name for name in outputs if heads is None or name in wanted]


def graph_class_ids(classes: Classes, names: Mapping[int, str], outputs: Sequence[str], path: Path) -> tuple[int, ...]:
    """Ids of the classes that an exported graph is to be cut down to.

    Args:
        classes: The classes, by id or name.
        names: The graph's, by id.
        outputs: Names of the graph's outputs.
        path: The graph's file, for the message.

    Raises:
        YolopError: There is no such class, or boxes are suppressed in the graph already.
    """
    if "class_ids" in outputs:
        raise YolopError(f"{path} suppresses boxes among all its classes: give the classes when you call the model")
    return class_ids(classes, names)
