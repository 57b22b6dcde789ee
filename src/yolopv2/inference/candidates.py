"""Candidates: what a runtime gives, before anything is decided."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Candidates:
    """Raw results of one batch of canvases.

    Attributes:
        boxes: float32 ``[N, A, 4]``, ``x1 y1 x2 y2`` in canvas pixels, one box per anchor; A is 0 without a detection
            head.
        scores: float32 ``[N, A, C]``, objectness times class probability, in 0 to 1.
        drivable: uint8 ``[N, H, W]``, probability times 255, or None without this head.
        lanes: uint8 ``[N, H, W]``, probability times 255, or None without this head.
        coefficients: float32 ``[N, A, K]``, those of each box's instance mask, or None without this head.
        prototypes: float32 ``[N, K, h, w]``, what the masks of a canvas are combined from, or None without this head.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    drivable: NDArray[np.uint8] | None
    lanes: NDArray[np.uint8] | None
    coefficients: NDArray[np.float32] | None = None
    prototypes: NDArray[np.float32] | None = None

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, NDArray[np.generic]], batch: int) -> "Candidates":
        """Candidates from the named outputs of a deployed network; absent heads have no output.

        Args:
            outputs: Any of ``boxes``, ``scores``, ``drivable``, ``lanes``, ``coefficients``, ``prototypes``; of a graph
                that suppresses boxes also ``class_ids``, and one score per box.
            batch: Number of canvases.

        Example:
            >>> Candidates.from_outputs({"lanes": np.zeros((2, 32, 64), np.uint8)}, batch=2).boxes.shape
            (2, 0, 4)
        """
        if "class_ids" in outputs:
            outputs = {**outputs, "scores": _by_class(outputs["scores"], outputs["class_ids"])}
        drivable, lanes = outputs.get("drivable"), outputs.get("lanes")
        coefficients, prototypes = outputs.get("coefficients"), outputs.get("prototypes")
        return cls(
            boxes=np.asarray(outputs.get("boxes", np.empty((batch, 0, 4))), np.float32),
            scores=np.asarray(outputs.get("scores", np.empty((batch, 0, 1))), np.float32),
            drivable=None if drivable is None else np.asarray(drivable, np.uint8),
            lanes=None if lanes is None else np.asarray(lanes, np.uint8),
            coefficients=None if coefficients is None else np.asarray(coefficients, np.float32),
            prototypes=None if prototypes is None else np.asarray(prototypes, np.float32),
        )


def _by_class(scores: NDArray[np.generic], class_ids: NDArray[np.generic]) -> NDArray[np.float32]:
    """Scores ``[N, A, C]`` of boxes that have one class each, from ``[N, A]``; the other classes get 0."""
    classes = np.arange(int(class_ids.max(initial=0)) + 1)
    return np.where(class_ids[..., None] == classes, scores[..., None], 0).astype(np.float32)
