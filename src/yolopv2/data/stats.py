"""How much of what a data set holds."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from yolopv2.data.check import TASKS
from yolopv2.data.dataset import Dataset
from yolopv2.data.sample import IGNORE, Sample

SIZES = {"small": 32.0**2, "medium": 96.0**2, "large": np.inf}
"""COCO's sizes of objects: below which area in pixels of the frame."""


@dataclass
class Stats:
    """Counts of one split.

    Attributes:
        frames: Number of frames.
        labelled: Frames that have a label, by task.
        boxes: Number of boxes by class name and size, see `SIZES`.
        share: Share of the labelled pixels that are marked, by task: ``drivable`` and ``lanes``.
    """

    frames: int = 0
    labelled: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TASKS, 0))
    boxes: dict[str, dict[str, int]] = field(default_factory=dict)
    share: dict[str, float | None] = field(default_factory=lambda: {"drivable": None, "lanes": None})


def count_dataset(dataset: Dataset, progress: Callable[[], object] | None = None) -> Stats:
    """Counts one split.

    Args:
        dataset: The split; every frame is read.
        progress: Called after each frame.

    Raises:
        YolopError: A frame or a label of it cannot be read.
    """
    stats = Stats(boxes={name: dict.fromkeys(SIZES, 0) for name in dataset.names.values()})
    marked = {task: [0, 0] for task in stats.share}
    for index in range(len(dataset)):
        sample = dataset[index]
        stats.frames += 1
        for task in TASKS:
            stats.labelled[task] += getattr(sample, task) is not None
        _count_boxes(stats, sample, dataset.names)
        for task, pixels in marked.items():
            mask = getattr(sample, task)
            if mask is not None:
                pixels[0] += np.count_nonzero(mask == 1)
                pixels[1] += np.count_nonzero(mask != IGNORE)
        if progress is not None:
            progress()
    stats.share = {task: yes / known if known else None for task, (yes, known) in marked.items()}
    return stats


def _count_boxes(stats: Stats, sample: Sample, names: dict[int, str]) -> None:
    if sample.boxes is None or sample.class_ids is None:
        return
    areas = np.prod(np.maximum(sample.boxes[:, 2:] - sample.boxes[:, :2], 0), 1)
    for area, class_id in zip(areas, sample.class_ids, strict=True):
        size = next(name for name, limit in SIZES.items() if area < limit)
        stats.boxes[names[int(class_id)]][size] += 1
