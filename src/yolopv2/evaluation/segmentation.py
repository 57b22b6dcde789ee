"""Scores of masks, from one confusion matrix over a whole data set."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yolopv2.data.sample import IGNORE


@dataclass
class MaskScore:
    """Counts of one class against background; `update` adds a frame.

    Example:
        >>> score = MaskScore()
        >>> score.update(np.array([[True, True]]), np.array([[1, 0]], np.uint8))
        >>> score.iou, score.recall
        (0.5, 1.0)
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def update(self, predicted: NDArray[np.bool_], label: NDArray[np.uint8]) -> None:
        """Adds one frame.

        Args:
            predicted: bool ``[H, W]``.
            label: uint8 ``[H, W]`` of 0, 1 or 255 = not labelled, which is left out.
        """
        known = label != IGNORE
        truth = label == 1
        tp = int(np.count_nonzero(predicted & truth))
        fp = int(np.count_nonzero(predicted & known)) - tp
        fn = int(np.count_nonzero(truth)) - tp
        self.tp, self.fp, self.fn = self.tp + tp, self.fp + fp, self.fn + fn
        self.tn += int(np.count_nonzero(known)) - tp - fp - fn

    @property
    def pixels(self) -> int:
        """How many labelled pixels were seen."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def iou(self) -> float:
        """``TP / (TP + FP + FN)``; 1 when there was nothing to find and nothing was found."""
        union = self.tp + self.fp + self.fn
        return self.tp / union if union else 1.0

    @property
    def background_iou(self) -> float:
        """IoU of everything else."""
        union = self.tn + self.fp + self.fn
        return self.tn / union if union else 1.0

    @property
    def miou(self) -> float:
        """Mean of the class's IoU and the background's."""
        return (self.iou + self.background_iou) / 2

    @property
    def recall(self) -> float:
        """``TP / (TP + FN)``, which YOLOP's tables call accuracy."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 1.0
