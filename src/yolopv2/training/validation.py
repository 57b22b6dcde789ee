"""Scores a network while it learns, by the code that evaluation uses, and draws what it sees."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from yolopv2.data.dataset import Dataset
from yolopv2.data.sheet import draw_sample
from yolopv2.errors import YolopError
from yolopv2.evaluation.evaluate import score_frames, scorer_of
from yolopv2.evaluation.summary import summarize
from yolopv2.files import write_image
from yolopv2.inference import Predictor, Thresholds
from yolopv2.inference.runtimes.torch_runtime import TorchRuntime
from yolopv2.media import Frame
from yolopv2.network import Network
from yolopv2.training.distributed import gather, rank, world_size

PICTURED = 6
"""Frames on the picture of a validation."""

_TILE = 640


class Validation:
    """Scores networks on one split, by the protocol ``dataset``.

    Called by all processes together, each of which looks at its share of the frames; the scores are the same to the
    last digit for any number of them.

    Args:
        dataset: The split.
        names: Class names by class id.
        device: Where the networks run.
        size: Long side of the canvas that they see.
        folder: Where the first process puts its pictures.
        tick: Called with the number of frames done and of all.
    """

    def __init__(
        self,
        dataset: Dataset,
        names: Sequence[str],
        device: torch.device,
        size: int,
        folder: Path,
        tick: Callable[[int, int], object] = lambda done, total: None,
    ) -> None:
        self.dataset, self.names, self.device, self.size = dataset, names, device, size
        self.folder, self.tick = folder, tick

    def __call__(self, network: Network, epoch: int) -> dict[str, float]:
        """The scores of a network; a picture of what it sees goes to ``EPOCH.jpg``.

        Args:
            network: Equal in all processes.
            epoch: Rounds that are over.

        Raises:
            YolopError: No frame could be read, or the picture cannot be written.
        """
        runtime = TorchRuntime(network, dict(enumerate(self.names)), str(self.device))
        predictor = Predictor(runtime, self.size)
        scorer = scorer_of(predictor, self.dataset, "dataset")
        own = range(rank(), len(self.dataset), world_size())
        outcomes = []
        for outcome in score_frames(predictor, self.dataset, scorer, own):
            outcomes.append(outcome)
            self.tick(len(outcomes), len(own))
        outcomes = gather(outcomes)
        for unreadable in (o for o in outcomes if isinstance(o, str)):
            warnings.warn(f"left out of validation: {unreadable}", stacklevel=2)
        records = sorted((o for o in outcomes if not isinstance(o, str)), key=lambda record: record.index)
        if not records:
            raise YolopError(f"No frame of the split for validation can be read: {next(iter(outcomes), 'it is empty')}")
        if rank() == 0:
            write_image(self.folder / f"{epoch:04d}.jpg", self.picture(predictor, [record.index for record in records]))
        return summarize(records, scorer.protocol, scorer.names).metrics

    def picture(self, predictor: Predictor, indices: Sequence[int]) -> NDArray[np.uint8]:
        """Some of the frames with these indices: labels on the left, what is seen on the right, uint8 RGB."""
        rows = []
        for place in np.unique(np.linspace(0, len(indices) - 1, PICTURED).round().astype(int)):
            sample = self.dataset[indices[place]]
            scene = predictor([Frame(sample.image, sample.source)], Thresholds())[0]
            pair = [draw_sample(sample, self.dataset.names), scene.draw()]
            height = round(_TILE * sample.image.shape[0] / sample.image.shape[1])
            rows.append(np.concatenate([cv2.resize(x, (_TILE, height), interpolation=cv2.INTER_AREA) for x in pair], 1))
        return np.concatenate(rows).astype(np.uint8)
