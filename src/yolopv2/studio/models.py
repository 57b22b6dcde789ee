"""The models of a studio: which there are, and looking with them, one frame at a time."""

import threading
import time
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from yolopv2.checkpoints.catalogue import CATALOGUE, bundled_graph, facts, file_facts
from yolopv2.errors import YolopError
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference import Predictor
from yolopv2.inference.candidates import Candidates
from yolopv2.media import Frame
from yolopv2.model import YOLOPv2
from yolopv2.studio.downloads import Downloads
from yolopv2.studio.errors import Refusal
from yolopv2.studio.look import Look
from yolopv2.studio.settings import Settings

SIZES = (320, 480, 640, 960)
"""Offered long sides of what the network sees."""

_ENGINES = {"openvino": "OpenVINO", "onnx": "ONNX Runtime", "torch": "PyTorch"}
_PACKAGES = {"openvino": "openvino", "onnx": "onnxruntime", "torch": "torch"}

_MOST_OPEN = 4
"""Models in memory; the one unused longest makes room."""


class Choice(BaseModel):
    """A model as the page chooses it.

    Attributes:
        weights: One of the names that the studio offers.
        size: Long side of what the network sees.
        runtime: Engine.
        precision: In which it computes.
    """

    model_config = ConfigDict(frozen=True)

    weights: str = Field(max_length=1000)
    size: int = Field(640, ge=32, le=1920)
    runtime: Literal["auto", "openvino", "onnx", "torch"] = "auto"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"


class Models:
    """Opens models when they are first looked with, and lets one frame after another look.

    Args:
        settings: Which models there are.

    Attributes:
        lock: Is held while a model runs.
    """

    def __init__(self, settings: Settings) -> None:
        self._device = settings.device
        self.downloads = Downloads(settings.addresses)
        self._offered: dict[str, str] = {}  # what the page calls it: weights
        for weights in (*settings.weights, *CATALOGUE):
            self._offered.setdefault(weights if weights in CATALOGUE else Path(weights).name, weights)
        self._files = {name: _file_facts(weights) for name, weights in self._offered.items() if name not in CATALOGUE}
        self.first = Choice(weights=next(iter(self._offered)), size=settings.size)
        self._open: OrderedDict[Choice, YOLOPv2] = OrderedDict()
        self._warm: set[tuple[Choice, int, int]] = set()  # and the canvases that it has looked at
        self.lock = threading.RLock()

    def describe(self) -> dict[str, Any]:
        """What the page's pickers offer, and the catalogue."""
        return {
            "weights": [self._describe(name, weights) for name, weights in self._offered.items()],
            "sizes": sorted({*SIZES, self.first.size}),
            "runtimes": [
                {"name": name, "title": title} for name, title in _ENGINES.items() if find_spec(_PACKAGES[name])
            ],
            "precisions": ["float32", "bfloat16", "float16"],
            "first": self.first.model_dump(),
        }

    def _describe(self, name: str, weights: str) -> dict[str, Any]:
        """What the page tells of a model; not where it lies on this machine."""
        if weights in CATALOGUE:
            known = facts(CATALOGUE[weights])
            needs_torch = bundled_graph(weights) is None and find_spec("torch") is None
            return {
                **{key: value for key, value in known.items() if key not in ("path", "metrics")},
                "download": self.downloads.describe(weights),
                "can_download": self.downloads.allowed and not known["bundled"],
                "needs": "PyTorch: pip install 'yolopv2[torch]'" if needs_torch else "",
            }
        return {"name": name, "description": "a file named at start", "here": True, **self._files[name]}

    def look(self, choice: Choice, frame: Frame) -> Look:
        """Looks at a frame; calls from several threads wait for each other.

        The first look on a new size of canvas is done twice, so that compiling is not taken for the model's speed.

        Raises:
            YolopError: The model cannot be run so.
            Refusal: There is no such model.
        """
        with self.lock:
            predictor = self._predictor(choice)
            looked, milliseconds = _timed_look(predictor, frame)
            canvas = (choice, looked[2].canvas_height, looked[2].canvas_width)
            if canvas not in self._warm:
                self._warm.add(canvas)
                looked, milliseconds = _timed_look(predictor, frame)
        return Look.of(looked, frame, predictor.runtime.names, milliseconds)

    def engine(self, choice: Choice) -> str:
        """Engine, device and precision of a model that was looked with, for people."""
        with self.lock:
            return self._predictor(choice).runtime.description

    def _predictor(self, choice: Choice) -> Predictor:
        return self.model(choice).predictor

    def model(self, choice: Choice) -> YOLOPv2:
        """A model, opened when it is first asked for; whoever runs it holds `lock` meanwhile.

        Raises:
            YolopError: It cannot be run so.
            Refusal: There is no such model.
        """
        with self.lock:
            return self._model(choice)

    def _model(self, choice: Choice) -> YOLOPv2:
        if choice in self._open:
            self._open.move_to_end(choice)
            return self._open[choice]
        weights = self._offered.get(choice.weights)
        if weights is None:
            raise Refusal(404, f"No model is called {choice.weights!r} here.")
        entry = CATALOGUE.get(weights)
        if entry is not None and not entry.path.is_file():
            raise YolopError(f"The weights '{entry.name}' are not here yet: download them under Models")
        model = YOLOPv2(weights, self._device, choice.runtime, choice.size, choice.precision)
        self._open[choice] = model
        if len(self._open) > _MOST_OPEN:
            closed, _ = self._open.popitem(last=False)
            self._warm = {key for key in self._warm if key[0] != closed}
        return model


def _timed_look(predictor: Predictor, frame: Frame) -> tuple[tuple[Candidates, int, Letterbox], float]:
    """What `Predictor.look` gives for a frame, and the milliseconds it took."""
    began = time.perf_counter()
    (looked,) = predictor.look([frame.image])
    return looked, 1000 * (time.perf_counter() - began)


def _file_facts(weights: str) -> dict[str, Any]:
    """What a file says of itself; one that cannot be read says so when somebody looks with it."""
    try:
        known = file_facts(weights)
    except YolopError:
        return {}
    return {key: value for key, value in known.items() if key != "metrics"}
