"""Frames on which an export is proved and quantised: the user's own where there are some, else generated ones."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from yolopv2.data.dataset import open_dataset
from yolopv2.data.sample import Sample
from yolopv2.data.synthetic import render_scene
from yolopv2.errors import YolopError

_EXAMPLES = (119, 20)
"""Seeds of the example frames, by day and on a rainy night, on the README's picture."""

_GENERATED = 6
_CALIBRATION_SEED = 100_000
"""Where the seeds of generated frames for calibration begin, so that none of them is proved on."""


@dataclass(frozen=True)
class Frames:
    """Some frames.

    Attributes:
        samples: With their labels, if they have some that count.
        source: Whence they are, for people.
        names: Class names by class id of the labels; None where no labels count.
    """

    samples: list[Sample] = field(repr=False)
    source: str
    names: Mapping[int, str] | None = None


def read_frames(data: str | os.PathLike[str], split: str, most: int) -> Frames:
    """Labelled frames of a data set, evenly spaced over the split.

    Args:
        data: Its YAML, or its folder.
        split: One of its splits.
        most: At most so many.

    Raises:
        YolopError: There is no such data set or split, or none of the frames can be read.
    """
    dataset = open_dataset(os.fspath(data), split)
    samples, reason = [], "it is empty"
    for index in np.unique(np.linspace(0, len(dataset) - 1, most).round().astype(int)) if len(dataset) else ():
        try:
            samples.append(dataset[int(index)])
        except YolopError as error:
            reason = str(error)
    if not samples:
        raise YolopError(f"no frame of the split {split!r} of {os.fspath(data)} can be read: {reason}")
    return Frames(samples, f"split {split} of {os.path.basename(os.fspath(data))}", dataset.names)


def generated_frames(count: int = _GENERATED, calibration: bool = False, height: int = 360) -> Frames:
    """Generated frames; for a proof the example frames come first.

    Args:
        count: How many.
        calibration: Others than those of a proof.
        height: Of a frame, in pixels; 16:9.
    """
    seeds = range(_CALIBRATION_SEED, _CALIBRATION_SEED + count) if calibration else [*_EXAMPLES, *range(count)][:count]
    images = (render_scene(seed, height, height * 16 // 9).image for seed in seeds)
    samples = [Sample(image, source=f"generated-{seed}") for seed, image in zip(seeds, images, strict=True)]
    return Frames(samples, "generated frames")
