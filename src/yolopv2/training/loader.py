"""From packed frames to augmented batches."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from yolopv2.data.augment import AugmentConfig, augment
from yolopv2.data.packed import PackedFrames, PackedSample


class Batch(NamedTuple):
    """One training step's frames.

    Attributes:
        images: uint8 ``[N, 3, H, W]``, RGB.
        maps: uint8 ``[N, 4, H, W]``, see `yolopv2.data.packed.MAPS`.
        targets: float32 ``[t, 6]``: image, class, ``x1 y1 x2 y2`` in pixels.
        labelled: bool ``[N]``: has box labels.
    """

    images: Tensor
    maps: Tensor
    targets: Tensor
    labelled: Tensor


class Source(NamedTuple):
    """Packed frames and their share of the samples drawn."""

    frames: PackedFrames
    share: float


class AugmentedFrames(IterableDataset[PackedSample]):
    """An endless stream of augmented samples, drawn from several sources by their shares.

    Args:
        sources: What to draw from.
        height: Canvas height.
        width: Canvas width.
        config: Augmentation.
        seed: Numbers that make the stream; it is the same for the same ones and as many workers.
    """

    def __init__(
        self, sources: Sequence[Source], height: int, width: int, config: AugmentConfig, seed: Sequence[int]
    ) -> None:
        self.sources, self.height, self.width, self.config, self.seed = sources, height, width, config, seed

    def __iter__(self) -> Iterator[PackedSample]:
        cv2.setNumThreads(0)
        worker = get_worker_info()
        rng = np.random.default_rng((*self.seed, worker.id if worker else 0))
        shares = np.array([s.share for s in self.sources])
        shares = shares / shares.sum()
        orders: list[list[int]] = [[] for _ in self.sources]
        while True:
            which = int(rng.choice(len(shares), p=shares))
            count = 4 if rng.random() < self.config.mosaic else 1
            frames = [self._next(which, orders, rng) for _ in range(count)]
            yield augment(frames, self.height, self.width, self.config, rng)

    def _next(self, which: int, orders: list[list[int]], rng: np.random.Generator) -> PackedSample:
        """Frames of a source come in a new random order each round, so that all are seen equally often."""
        if not orders[which]:
            orders[which] = rng.permutation(len(self.sources[which].frames)).tolist()
        return self.sources[which].frames[orders[which].pop()]


def collate(samples: Sequence[PackedSample]) -> Batch:
    """Stacks samples to a batch."""
    rows = [
        np.concatenate([np.full((len(s.boxes), 1), i, np.float32), s.boxes], 1)
        for i, s in enumerate(samples)
        if s.boxes is not None
    ]
    return Batch(
        torch.from_numpy(np.stack([s.image for s in samples])).permute(0, 3, 1, 2),
        torch.from_numpy(np.stack([s.maps for s in samples])).permute(0, 3, 1, 2),
        torch.from_numpy(np.concatenate(rows) if rows else np.zeros((0, 6), np.float32)),
        torch.tensor([s.boxes is not None for s in samples]),
    )


def make_loader(frames: AugmentedFrames, batch_size: int, workers: int) -> Iterator[Batch]:
    """An endless iterator of batches, made by ``workers`` processes ahead of time."""
    return iter(
        DataLoader(frames, batch_size, num_workers=workers, collate_fn=collate, prefetch_factor=4 if workers else None)
    )
