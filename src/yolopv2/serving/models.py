"""The models of a service by name, each loaded once, and the batcher of each."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from yolopv2.checkpoints.catalogue import CATALOGUE, facts, file_facts, resolve
from yolopv2.errors import YolopError
from yolopv2.inference import Thresholds
from yolopv2.media import Frame
from yolopv2.model import YOLOPv2
from yolopv2.serving.batching import Batcher
from yolopv2.serving.errors import LOG, Problem

OpenModel = Callable[[str], YOLOPv2]
"""Loads weights."""

OpenBatcher = Callable[[YOLOPv2], Batcher]


@dataclass(frozen=True)
class Served:
    """A loaded model.

    Attributes:
        name: What requests call it.
        model: The model.
        batcher: What looks with it.
    """

    name: str
    model: YOLOPv2
    batcher: Batcher


class Models:
    """The models of a service: the first is loaded at the start, the others when they are first asked for.

    Args:
        weights: What `YOLOPv2` takes; a file is called by its stem.
        open_model: Loads one.
        open_batcher: Gives a loaded one its batcher.

    Raises:
        YolopError: There are none, one is neither a name nor a file or cannot be downloaded, or two would have the
            same name.
    """

    def __init__(self, weights: tuple[str, ...], open_model: OpenModel, open_batcher: OpenBatcher) -> None:
        named = [(entry if entry in CATALOGUE else Path(entry).stem, entry) for entry in weights]
        self._weights = dict(named)
        if not named or len(self._weights) < len(named):
            raise YolopError("a service needs one model or more, whose files have different names")
        # Downloads, and tells of a missing file, now and not when a model is first asked for.
        files = {name: resolve(entry) for name, entry in named}
        self._facts = {name: file_facts(file) for name, file in files.items() if name not in CATALOGUE}
        self.default = named[0][0]
        self._open_model, self._open_batcher = open_model, open_batcher
        self._loaded: dict[str, Served] = {}
        self._locks = {name: threading.Lock() for name in self._weights}

    @property
    def names(self) -> list[str]:
        """What the models are called, the default one first."""
        return list(self._weights)

    def facts(self, name: str) -> dict[str, Any]:
        """What is known of a model of this service or of the catalogue; not where it lies on this machine."""
        known = facts(CATALOGUE[name]) if name in CATALOGUE else {"name": name, **self._facts[name]}
        return {key: value for key, value in known.items() if key != "path"}

    def loaded(self, name: str | None = None) -> Served | None:
        """The model of that name if it is loaded; the default one if there is no name.

        Raises:
            Problem: 404, there is none.
        """
        name = name or self.default
        if name not in self._weights:
            raise Problem(404, f"no model is called {name[:100]!r} here; there are: {', '.join(self._weights)}")
        return self._loaded.get(name)

    def load(self, name: str | None = None) -> Served:
        """The model of that name, loaded unless it is; takes seconds then, so it belongs in a thread.

        Raises:
            Problem: 404, there is none.
            YolopError: It cannot be loaded.
        """
        name = name or self.default
        found = self.loaded(name)
        if found is not None:
            return found
        with self._locks[name]:
            if name not in self._loaded:
                model = self._open_model(self._weights[name])
                self._loaded[name] = Served(name, model, self._open_batcher(model))
        return self._loaded[name]

    def load_for_stranger(self, name: str | None) -> Served:
        """As `load`, with an error that names no file of this machine.

        Raises:
            Problem: 404, there is none; 503, it cannot be loaded.
        """
        try:
            return self.load(name)
        except YolopError as error:
            LOG.error("the model %s cannot be loaded: %s", name, error)
            raise Problem(503, "the model cannot be loaded; the service's log says why") from None

    def warm_up(self) -> None:
        """Loads the default model and has it look, alone and in a batch: engines compile when they first do."""
        served = self.load()
        frame = Frame(np.zeros((720, 1280, 3), np.uint8), "warm-up")
        for together in (1, 2):
            for future in [served.batcher.submit(frame, Thresholds()) for _ in range(together)]:
                future.result()

    def close(self) -> None:
        """Finishes what was submitted, and ends."""
        for served in self._loaded.values():
            served.batcher.close()
