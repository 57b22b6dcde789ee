"""Proof that an exported graph sees what the network sees."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from yolopv2.data.synthetic import render_scene
from yolopv2.errors import YolopError
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference.runtimes.openvino import openvino_library
from yolopv2.network.deployed import DeployedNetwork

LIKELY = 0.1
"""Boxes below this score are compared by score alone: where they lie matters to nobody."""


@dataclass(frozen=True)
class Differences:
    """How far a graph is from the network in eager float32, on a generated frame; None where there is no such head.

    Attributes:
        score: Largest difference of a score.
        box: Largest shift of a side of a box with a score of at least `LIKELY`, in pixels of the canvas.
        drivable: Mean difference of a pixel's probability.
        lanes: The same of the lanes.
    """

    score: float | None = None
    box: float | None = None
    drivable: float | None = None
    lanes: float | None = None

    def __str__(self) -> str:
        units = {"score": "", "box": " px", "drivable": "", "lanes": ""}
        told = [f"{name} {value:.2g}{units[name]}" for name, value in vars(self).items() if value is not None]
        return ", ".join(told)


BOUNDS = Differences(score=0.02, box=1.0, drivable=0.01, lanes=0.01)
"""What weights rounded to float16 may change at most."""


def compare(graph: bytes, deployed: DeployedNetwork) -> Differences:
    """Runs an ONNX graph and the network that it was made from on the same frame.

    Args:
        graph: The content of the file.
        deployed: The network, float32, on the CPU.
    """
    image = render_scene(0, height=360, width=640).image
    canvas = Letterbox.fit(*image.shape[:2]).apply(image)[None]
    ov = openvino_library()
    compiled = ov.Core().read_model(graph)
    run = ov.Core().compile_model(compiled, "CPU", {"INFERENCE_PRECISION_HINT": ov.Type.f32})
    seen = {port.any_name: value for port, value in run({0: canvas}).items()}
    with torch.inference_mode():
        outputs = deployed(torch.from_numpy(canvas))
    meant = {name: value.numpy() for name, value in zip(deployed.output_names, outputs, strict=True)}
    return _differences(seen, meant)


def require(differences: Differences) -> None:
    """Refuses a graph that is too far from its network.

    Raises:
        YolopError: A difference is beyond its bound in `BOUNDS`.
    """
    for name, value in vars(differences).items():
        if value is not None and not value <= getattr(BOUNDS, name):
            raise YolopError(
                f"the exported graph does not see what the network sees ({differences}; allowed: {BOUNDS}); "
                "nothing was written"
            )


def _differences(seen: dict[str, NDArray[Any]], meant: dict[str, NDArray[Any]]) -> Differences:
    found: dict[str, float] = {}
    if "scores" in meant:
        found["score"] = float(np.abs(seen["scores"] - meant["scores"]).max())
        likely = meant["scores"].max(-1) >= LIKELY
        found["box"] = float(np.abs(seen["boxes"] - meant["boxes"])[likely].max(initial=0))
    for name in ("drivable", "lanes"):
        if name in meant:
            found[name] = float(np.abs(seen[name].astype(int) - meant[name].astype(int)).mean() / 255)
    return Differences(**found)
