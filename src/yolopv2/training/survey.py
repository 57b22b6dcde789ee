"""A look at the labels before training: box sizes for anchors, and tasks that nobody labelled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from yolopv2.data.augment import AugmentConfig, augment
from yolopv2.data.packed import PackedSample
from yolopv2.errors import YolopError
from yolopv2.training.bar import progress_bar
from yolopv2.training.loader import Source

FRAMES = 2000
"""Frames, at most, that are looked at."""

_IMAGES = 8


@dataclass
class Survey:
    """What some of the frames hold.

    Attributes:
        sizes: float32 ``[n, 2]``, width and height of their boxes in pixels of the canvas.
        labelled: Whether any frame has labels, by head.
        images: float32 ``[k, 3, H, W]``, RGB in 0..1, up to eight of them.
    """

    sizes: NDArray[np.float32]
    labelled: dict[str, bool]
    images: Tensor

    def remarks(self, heads: Sequence[str]) -> list[str]:
        """What a person should know, in sentences."""
        without = [head for head in heads if not self.labelled[head]]
        return [f"No labels for {', '.join(without)} were found: what has none learns nothing."] if without else []


def survey_labels(sources: Sequence[Source], height: int, width: int) -> Survey:
    """Looks at evenly spaced frames of every source, on the canvas as they are.

    Args:
        sources: Frames to learn from; those that cannot be read are left to training to tell of.
        height: Canvas height.
        width: Canvas width.

    Raises:
        YolopError: None of the frames can be read.
    """
    sizes: list[NDArray[np.float32]] = [np.zeros((0, 2), np.float32)]
    images: list[NDArray[np.uint8]] = []
    labelled = {"detection": False, "drivable": False, "lanes": False, "masks": False}
    problems: list[str] = []
    for sample in _canvases(sources, height, width, problems):
        if len(images) < _IMAGES:
            images.append(sample.image)
        labelled["drivable"] |= bool(sample.maps[..., 1].any())
        labelled["lanes"] |= bool(sample.maps[..., 3].any())
        if sample.boxes is not None:
            labelled["detection"] = labelled["masks"] = True  # boxes alone teach masks as well
            sizes.append(sample.boxes[:, 3:5] - sample.boxes[:, 1:3])
    if not images:
        raise YolopError(f"None of {len(problems)} training frames can be read; the first: {problems[0]}")
    batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    return Survey(np.concatenate(sizes), labelled, batch)


def _canvases(sources: Sequence[Source], height: int, width: int, problems: list[str]) -> Iterator[PackedSample]:
    each = max(1, FRAMES // len(sources))
    chosen = [np.unique(np.linspace(0, len(source.frames) - 1, each).astype(int)) for source in sources]
    rng = np.random.default_rng(0)
    with progress_bar("looking at labels") as bar:
        task = bar.add_task("", total=sum(map(len, chosen)))
        for source, indices in zip(sources, chosen, strict=True):
            for index in indices:
                bar.advance(task)
                try:
                    frame = source.frames[int(index)]
                except (YolopError, OSError) as error:
                    problems.append(str(error))
                else:
                    yield augment(repeat(frame).__next__, height, width, AugmentConfig.off(), rng)
