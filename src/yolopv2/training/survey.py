"""A look at the labels before training: box sizes for anchors, and tasks that nobody labelled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from yolopv2.data.augment import AugmentConfig
from yolopv2.training.bar import progress_bar
from yolopv2.training.loader import AugmentedFrames, Source

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
    """Looks at frames of every source, on the canvas as they are.

    Args:
        sources: Frames to learn from.
        height: Canvas height.
        width: Canvas width.

    Raises:
        YolopError: Many frames in a row cannot be read.
    """
    sizes: list[NDArray[np.float32]] = [np.zeros((0, 2), np.float32)]
    images: list[NDArray[np.uint8]] = []
    labelled = {"detection": False, "drivable": False, "lanes": False}
    with progress_bar("looking at labels") as bar:
        counts = [min(len(source.frames), max(1, FRAMES // len(sources))) for source in sources]
        task = bar.add_task("", total=sum(counts))
        for source, count in zip(sources, counts, strict=True):
            frames = AugmentedFrames([source], height, width, AugmentConfig.off())  # in an order of chance
            for number in range(count):
                sample = frames[number]
                if len(images) < _IMAGES:
                    images.append(sample.image)
                labelled["drivable"] |= bool(sample.maps[..., 1].any())
                labelled["lanes"] |= bool(sample.maps[..., 3].any())
                if sample.boxes is not None:
                    labelled["detection"] = True
                    sizes.append(sample.boxes[:, 3:5] - sample.boxes[:, 1:3])
                bar.advance(task)
    batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    return Survey(np.concatenate(sizes), labelled, batch)
