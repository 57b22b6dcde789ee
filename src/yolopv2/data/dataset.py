"""Opening data sets: one split of one set, or of several with their shares."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from yolopv2.data.classes import Classes
from yolopv2.data.config import DatasetConfig, MixConfig, read_config
from yolopv2.data.formats import BDD10K, BDD100K, CamVid, Cityscapes, Coco, Packed, Yolo, Yolop
from yolopv2.data.lane_labels import LANE_WIDTH
from yolopv2.data.sample import Sample
from yolopv2.data.synthetic import CLASS_NAMES, SyntheticDataset
from yolopv2.errors import YolopError, nearest


class Dataset(Protocol):
    """The labelled frames of one split."""

    names: dict[int, str]
    """Class names by class id."""

    def __len__(self) -> int:
        """How many frames there are."""

    def __getitem__(self, index: int) -> Sample:
        """Reads one frame with its labels; raises `YolopError` when that cannot be done."""


class DataSource(NamedTuple):
    """One of the data sets to learn from.

    Attributes:
        dataset: One split of it.
        share: Share of the samples that are drawn from it, in 0 to 1; the shares of all sources add up to 1.
    """

    dataset: Dataset
    share: float


def open_dataset(path: str | Path, split: str) -> Dataset:
    """Opens one split of a data set; its files are read in place.

    Args:
        path: The YAML, or the folder that holds it as ``data.yaml``.
        split: One of the splits it names.

    Returns:
        Its frames; of several sources all frames, one source after the other.

    Raises:
        YolopError: The YAML is wrong, there is no such split, or its files cannot be read.

    Example:
        >>> import tempfile
        >>> from yolopv2.data.synthetic import write_dataset
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     dataset = open_dataset(write_dataset(folder, {"val": 1}, height=96, width=160), "val")
        ...     len(dataset), dataset.names, dataset[0].image.shape
        (1, {0: 'vehicle'}, (96, 160, 3))
    """
    datasets = [source.dataset for source in open_sources(path, split)]
    return datasets[0] if len(datasets) == 1 else _Joined(datasets)


def open_sources(path: str | Path, split: str) -> list[DataSource]:
    """Opens one split of every data set that a YAML names.

    Args:
        path: The YAML, or the folder that holds it as ``data.yaml``.
        split: One of the splits it names. A source that has none of this name is left out.

    Returns:
        Each with its share; a YAML of one data set gives one source with the share 1.

    Raises:
        YolopError: A YAML is wrong, no source has such a split, the sources have different classes, or files cannot be
            read.

    Example:
        >>> import tempfile
        >>> from yolopv2.data.synthetic import write_dataset
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("day", "night"):
        ...         _ = write_dataset(f"{folder}/{name}", {"train": 1}, height=96, width=160, time_of_day=name)
        ...     mix = Path(folder, "mix.yaml")
        ...     _ = mix.write_text("sources: [{data: day/data.yaml, share: 3}, {data: night/data.yaml, share: 1}]")
        ...     [(len(source.dataset), source.share) for source in open_sources(mix, "train")]
        [(1, 0.75), (1, 0.25)]
    """
    config = read_config(path)
    if split not in split_names(path):
        raise YolopError(f"{path} has no split {split!r}{nearest(split, split_names(path))}.")
    if isinstance(config, DatasetConfig):
        return [DataSource(_open(path, config, split), 1.0)]
    opened = []
    for source in config.sources:
        own, splits = _source(source.data, source.splits)
        if split in splits:
            opened.append((source, DataSource(_open(source.data, own, splits[split]), source.share)))
    _agree_on_classes(path, [(str(source.data), data.dataset.names) for source, data in opened])
    total = sum(data.share for _, data in opened)
    return [DataSource(data.dataset, data.share / total) for _, data in opened]


def split_names(path: str | Path) -> list[str]:
    """The splits that a data set has, or any of its sources.

    Raises:
        YolopError: A YAML is wrong.
    """
    config = read_config(path)
    if isinstance(config, DatasetConfig):
        return list(config.splits)
    return list(dict.fromkeys(name for source in config.sources for name in _source(source.data, source.splits)[1]))


def _source(path: Path, renamed: dict[str, str] | None) -> tuple[DatasetConfig, dict[str, str]]:
    """What a source's YAML says, and its names of the splits."""
    config = read_config(path)
    if isinstance(config, MixConfig):
        raise YolopError(f"{path} is a mix itself: name its sources instead.")
    for split in (renamed or {}).values():
        if split not in config.splits:
            raise YolopError(f"{path} has no split {split!r}{nearest(split, config.splits)}.")
    return config, renamed if renamed is not None else {name: name for name in config.splits}


def _agree_on_classes(path: str | Path, named: Sequence[tuple[str, dict[int, str]]]) -> None:
    """Refuses sources that number their classes differently; one without any has no boxes."""
    named = [(source, names) for source, names in named if names]
    for source, names in named[1:]:
        if names != named[0][1]:
            raise YolopError(
                f"{path}: the sources must have the same classes in the same order, but {named[0][0]} has "
                f"{list(named[0][1].values())} and {source} has {list(names.values())}."
            )


def _open(path: str | Path, config: DatasetConfig, split: str) -> Dataset:
    if config.format == "synthetic" and config.classes != list(CLASS_NAMES.values()):
        raise YolopError(f"{path}: generated scenes have the classes {list(CLASS_NAMES.values())} and no others.")
    classes = Classes.of(config.classes)
    name = config.splits[split]
    match config.format:
        case "bdd100k":
            widths = config.lane_width
            width = {**LANE_WIDTH, **widths}.get(split) if isinstance(widths, dict) else widths
            return BDD100K(config.root, name, classes, config.drivable, width)
        case "yolop":
            return Yolop(config.root, name, classes)
        case "yolo":
            return Yolo(config.root, name, classes)
        case "coco":
            return Coco(config.root, name, classes)
        case "bdd10k":
            return BDD10K(config.root, name, classes)
        case "cityscapes":
            return Cityscapes(config.root, name, classes)
        case "camvid":
            return CamVid(config.root, name, classes)
        case "synthetic":
            return SyntheticDataset(config.root, name)
        case "packed":
            return Packed(config.root, name, classes)


class _Joined:
    """The frames of several data sets, one after the other."""

    def __init__(self, datasets: Sequence[Dataset]) -> None:
        self.datasets = datasets
        self.names = next((dataset.names for dataset in datasets if dataset.names), {})
        self._ends = np.cumsum([len(dataset) for dataset in datasets])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Sample:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        which = int(np.searchsorted(self._ends, index, side="right"))
        dataset = self.datasets[which]
        return dataset[index - int(self._ends[which]) + len(dataset)]
