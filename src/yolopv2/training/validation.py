"""Scores a network while it learns, by the code that evaluation uses, and draws what it sees."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from yolopv2.data.dataset import Dataset
from yolopv2.data.sheet import draw_sample
from yolopv2.evaluation.dataset import CONFIDENCE, NMS_IOU, score_scenes
from yolopv2.files import write_image
from yolopv2.inference import Predictor, Thresholds
from yolopv2.inference.runtimes.torch_runtime import TorchRuntime
from yolopv2.media import Frame
from yolopv2.network import Network

PICTURED = 6
"""Frames on the picture of a validation."""

_TILE = 640


class Validation:
    """Scores networks on one split.

    Args:
        dataset: The split.
        names: Class names by class id.
        device: Where the networks run.
        size: Long side of the canvas that they see.
        folder: Where the pictures go.
    """

    def __init__(self, dataset: Dataset, names: Sequence[str], device: torch.device, size: int, folder: Path) -> None:
        self.dataset, self.names, self.device, self.size = dataset, names, device, size
        self.folder = folder

    def __call__(self, network: Network, epoch: int) -> dict[str, float]:
        """The scores of a network; a picture of what it sees goes to ``EPOCH.jpg``."""
        runtime = TorchRuntime(network, dict(enumerate(self.names)), str(self.device))
        predictor = Predictor(runtime, self.size)
        thresholds = Thresholds(conf=CONFIDENCE, iou=NMS_IOU)
        samples = (self.dataset[i] for i in range(len(self.dataset)))
        scores = score_scenes((predictor([Frame(s.image, s.source)], thresholds)[0], s) for s in samples)
        write_image(self.folder / f"{epoch:04d}.jpg", self.picture(predictor))
        return scores

    def picture(self, predictor: Predictor) -> NDArray[np.uint8]:
        """Frames with their labels on the left and what is seen on the right, uint8 RGB."""
        rows = []
        for index in np.unique(np.linspace(0, len(self.dataset) - 1, PICTURED).round().astype(int)):
            sample = self.dataset[int(index)]
            scene = predictor([Frame(sample.image, sample.source)], Thresholds())[0]
            pair = [draw_sample(sample, self.dataset.names), scene.draw()]
            height = round(_TILE * sample.image.shape[0] / sample.image.shape[1])
            rows.append(np.concatenate([cv2.resize(x, (_TILE, height), interpolation=cv2.INTER_AREA) for x in pair], 1))
        return np.concatenate(rows).astype(np.uint8)
