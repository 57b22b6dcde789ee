"""From frames at training size to augmented batches.

Sample number ``k`` of a run is a pure function of the run's seed and ``k``, and the batch of a step one of the step: so
batches are the same for any number of workers and processes, and a run resumed at a step goes on with the very batches
it would have had.
"""

import itertools
import math
import signal
from collections.abc import Generator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from yolopv2.data.augment import AugmentConfig, augment
from yolopv2.data.packed import PackedSample
from yolopv2.errors import YolopError

_BLOCK = 1024
"""Samples among which the turns of the sources are shuffled."""

_TRIES = 10
"""Frames in a row that may be unreadable; more than that is no accident."""


class Batch(NamedTuple):
    """One training step's frames.

    Attributes:
        images: uint8 ``[N, 3, H, W]``, RGB.
        maps: uint8 ``[N, 4, H, W]``, see `yolopv2.data.packed.MAPS`.
        targets: float32 ``[t, 6]``: image, class, ``x1 y1 x2 y2`` in pixels.
        labelled: bool ``[N]``: has box labels.
        problems: What could not be read, each in a sentence; other frames stand in for it.
        instances: int16 ``[N, H, W]``: where the i-th target of an image is seen i + 1, elsewhere 0; None when no box
            has a mask. The mask of a target without any pixel is not known.
    """

    images: Tensor
    maps: Tensor
    targets: Tensor
    labelled: Tensor
    problems: Sequence[str] = ()
    instances: Tensor | None = None

    def to(self, device: torch.device | str) -> "Batch":
        """The batch with its tensors on a device; from pinned memory they travel while the CPU goes on."""
        images, maps, targets, labelled = (part.to(device, non_blocking=True) for part in self[:4])
        instances = None if self.instances is None else self.instances.to(device, non_blocking=True)
        return Batch(images, maps, targets, labelled, self.problems, instances)


class TrainingFrames(Protocol):
    """Frames at training size, such as `yolopv2.data.packed.PackedFrames`."""

    def __len__(self) -> int:
        """How many frames there are."""

    def __getitem__(self, index: int) -> PackedSample:
        """One frame; raises `YolopError` or `OSError` when it cannot be read."""


class Source(NamedTuple):
    """Frames and their share of the samples drawn; shares need not add up to 1."""

    frames: TrainingFrames
    share: float


class AugmentedFrames(Dataset[PackedSample]):
    """Augmented samples by their running number in a run, drawn from several sources by their shares.

    Sources take turns by their shares, exactly. The first frame of every sample goes through a source in rounds, each
    in a random order of its own, so that all frames of a source are seen equally often; the other frames of a mosaic
    or a mix come from the same source, in rounds of their own.

    Args:
        sources: What to draw from.
        height: Canvas height.
        width: Canvas width.
        config: Augmentation.
        seed: Not negative; another seed gives other samples.

    Raises:
        YolopError: There is no source, one has no frames or no positive share, or the seed is negative.
    """

    def __init__(
        self, sources: Sequence[Source], height: int, width: int, config: AugmentConfig, seed: int = 0
    ) -> None:
        if not sources:
            raise YolopError("There are no frames to train on: give at least one source.")
        for number, source in enumerate(sources):
            if not len(source.frames):
                raise YolopError(f"Source {number} of the training frames is empty: leave it out.")
            if not (math.isfinite(source.share) and source.share > 0):
                raise YolopError(f"The share of source {number} is {source.share}: give a positive number.")
        if seed < 0:
            raise YolopError(f"The seed is {seed}: give 0 or a positive number.")
        self.sources, self.height, self.width, self.config, self.seed = list(sources), height, width, config, seed
        shares = [Fraction(source.share) for source in sources]
        self._turns = [share / sum(shares[i:]) for i, share in enumerate(shares)]

    def __getitem__(self, number: int) -> PackedSample:
        """Makes one sample.

        Args:
            number: Running number in the whole run, from 0, unbounded.

        Raises:
            YolopError: Ten frames in a row cannot be read.
        """
        which, position = self._turn(number)
        problems: list[str] = []
        slots = itertools.count()
        sample = augment(
            lambda: self._draw(which, position, next(slots), problems),
            self.height,
            self.width,
            self.config,
            np.random.default_rng((self.seed, number)),
        )
        sample.problems = problems
        return sample

    def _turn(self, number: int) -> tuple[int, int]:
        """Whose turn it is, and how often it was that source's turn before."""
        # Evenly spaced turns would fall in step with ranks: of two processes and two sources, each would see one only.
        block, place = divmod(number, _BLOCK)
        number = block * _BLOCK + int(_permutation(_BLOCK, self.seed, block, 1)[place])
        for which, share in enumerate(self._turns):
            before = math.floor(number * share)
            if math.floor((number + 1) * share) > before:
                return which, before
            number -= before
        raise AssertionError("the last source takes every turn that is left")

    def _draw(self, which: int, position: int, slot: int, problems: list[str]) -> PackedSample:
        """A frame of a source: the ``slot``-th for the sample that is the source's ``position``-th."""
        frames = self.sources[which].frames
        turn, place = divmod(position, len(frames))
        order = _permutation(len(frames), self.seed, which, slot, turn, 2)
        for attempt in range(_TRIES):
            index = int(order[(place + attempt) % len(frames)])
            try:
                return frames[index]
            except (YolopError, OSError) as error:
                problems.append(str(error))
        raise YolopError(f"{_TRIES} training frames in a row cannot be read; the last: {problems[-1]}")


@lru_cache(maxsize=64)
def _permutation(length: int, *seed: int) -> NDArray[np.int32]:
    # The seeds' last number is never 0: numpy takes (1, 2) and (1, 2, 0) for the same seed.
    return np.random.default_rng(seed).permutation(length).astype(np.int32)


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
        [problem for s in samples for problem in s.problems],
        _stack_instances(samples),
    )


def _stack_instances(samples: Sequence[PackedSample]) -> Tensor | None:
    maps = [s.instances for s in samples]
    if not any(each is not None for each in maps):
        return None
    none = np.zeros(samples[0].image.shape[:2], np.int16)
    return torch.from_numpy(np.stack([none if each is None else each.astype(np.int16) for each in maps]))


class _Batches(Dataset["Batch | YolopError"]):
    """The batches of one process by their step; an error travels from a worker as a value, without its traceback."""

    def __init__(self, frames: AugmentedFrames, batch_size: int, rank: int, world_size: int) -> None:
        self.frames, self.batch_size, self.rank, self.world_size = frames, batch_size, rank, world_size

    def __getitem__(self, step: int) -> Batch | YolopError:
        first = step * self.batch_size * self.world_size + self.rank
        try:
            return collate([self.frames[first + i * self.world_size] for i in range(self.batch_size)])
        except YolopError as error:
            return YolopError(str(error))


def make_loader(
    frames: AugmentedFrames, batch_size: int, workers: int, start: int = 0, rank: int = 0, world_size: int = 1
) -> Generator[Batch, None, None]:
    """The batches of a run, endless, made ahead of time by processes of their own.

    Args:
        frames: The samples.
        batch_size: Samples per step of this process.
        workers: Processes that make batches; with 0 they are made when they are asked for.
        start: Steps already taken.
        rank: This process's number among those that train together. It takes the samples ``rank``,
            ``rank + world_size``, ... of each step's.
        world_size: Processes that train together.

    Yields:
        One batch per step, from step ``start`` on. Closing the generator ends the workers.

    Raises:
        YolopError: Ten frames in a row cannot be read.
    """
    loader: DataLoader[Batch | YolopError] = DataLoader(
        _Batches(frames, batch_size, rank, world_size),
        batch_size=None,
        sampler=itertools.count(start),
        num_workers=workers,
        collate_fn=_as_it_is,
        pin_memory=torch.cuda.is_available(),
        worker_init_fn=_start_worker,
        generator=torch.Generator(),  # else it would take a number from the global one, and resuming would shift those
        prefetch_factor=4 if workers else None,
    )
    for batch in loader:
        if isinstance(batch, YolopError):
            raise batch
        yield batch


def _as_it_is(batch: Any) -> Any:
    return batch


def _start_worker(_: int) -> None:
    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains; it ends its workers
