"""An exported graph's file for OpenVINO: what it says of itself, without reading it where that is known already."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from yolopv2.errors import YolopError
from yolopv2.files import sha256
from yolopv2.inference.runtimes.base import METADATA_KEY
from yolopv2.inference.runtimes.compiled import entry_key, load_entry, store_entry


@dataclass(frozen=True)
class Description:
    """What is known of a graph without its layers.

    Attributes:
        metadata: The JSON it carries, or None if it carries none.
        outputs: Names of its outputs.
        takes: The shape of its input, None for each side that is free.

    The two lists are empty where there is no metadata: then the graph is none of this package's.
    """

    metadata: str | None
    outputs: list[str]
    takes: list[int | None]

    @classmethod
    def from_json(cls, text: bytes) -> "Description | None":
        """What `to_json` wrote, or None if it is none of it.

        Example:
            >>> known = Description('{"names": ["car"]}', ["boxes"], [None, 64, 96, 3])
            >>> Description.from_json(known.to_json()) == known, Description.from_json(b"[1]")
            (True, None)
        """
        try:
            known = cls(**json.loads(text))
        except (ValueError, TypeError, RecursionError):
            return None
        lists = isinstance(known.outputs, list) and isinstance(known.takes, list)
        if not lists or not isinstance(known.metadata, str | None) or len(known.takes) not in (0, 4):
            return None
        right = all(isinstance(name, str) for name in known.outputs)
        return known if right and all(type(side) in (int, type(None)) for side in known.takes) else None

    def to_json(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self)).encode()


class GraphFile:
    """An exported graph's file.

    Its layers, which take as much memory as its weights, are read when they are asked for. What it says of itself is
    kept beside the compiled graphs under the file's checksum, so that a process that finds its graph compiled never
    reads the layers.

    Args:
        path: The ``.onnx`` file, or the ``.xml`` file of OpenVINO's own with its ``.bin`` beside it.
        core: OpenVINO's.

    Attributes:
        path: The same.
        checksum: Of the file, and of the weights beside it.
        description: What it says of itself.

    Raises:
        YolopError: The file cannot be read.
    """

    def __init__(self, path: Path, core: Any) -> None:
        self.path, self._core, self._model = path, core, None
        try:
            self.checksum = _checksum(path)
        except OSError:
            raise self._unreadable() from None
        key = entry_key(self.checksum, "description")
        kept = load_entry(key)
        known = Description.from_json(bytes(kept)) if kept is not None else None
        if known is None:
            self._model = self.model()
            try:
                known = _describe(self._model)
            except (IndexError, RuntimeError, ValueError):  # no input, no names, or not four sides
                raise self._unreadable() from None
            store_entry(key, known.to_json())
        self.description = known

    def model(self) -> Any:
        """The graph with its layers, which is the caller's.

        Raises:
            YolopError: The file cannot be read, or is no longer the one that was described.
        """
        model, self._model = self._model, None
        if model is not None:
            return model
        try:
            model = self._core.read_model(self.path)
            unchanged = _checksum(self.path) == self.checksum  # looked at afterwards: it may change while it is read
        except (OSError, RuntimeError):
            raise self._unreadable() from None
        if not unchanged:
            raise YolopError(f"{self.path} has changed since the model was loaded: load it again")
        return model

    def forget(self) -> None:
        """Lets go of the layers, if they have been read and not been asked for."""
        self._model = None

    def _unreadable(self) -> YolopError:
        beside = " or the .bin beside it" if self.path.suffix == ".xml" else ""
        return YolopError(f"{self.path} cannot be read as a model: the file{beside} is missing or damaged")


def _describe(model: Any) -> Description:
    where = ["framework", METADATA_KEY]
    if not model.has_rt_info(where):
        return Description(None, [], [])
    sides = list(model.inputs[0].partial_shape)
    if len(sides) != 4:
        raise ValueError("the input is no batch of pictures")
    return Description(
        metadata=model.get_rt_info(where).astype(str),
        outputs=[output.any_name for output in model.outputs],
        takes=[side.get_length() if side.is_static else None for side in sides],
    )


def _checksum(graph: Path) -> str:
    files = [graph, graph.with_suffix(".bin")] if graph.suffix.lower() == ".xml" else [graph]
    return entry_key(*map(sha256, files))
