"""A data set written in another layout, with the YAML that describes it."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from yolopv2.data.config import DatasetConfig, MixConfig, read_config
from yolopv2.data.dataset import Dataset, open_dataset, split_names
from yolopv2.data.sample import Sample
from yolopv2.data.writers import WRITERS, Layout, Writer
from yolopv2.errors import YolopError
from yolopv2.files import write_text_atomic

_MARK = "conversion.json"
"""Says what a folder is a conversion of: only such a folder, or an empty one, is written to."""


@dataclass
class Converted:
    """What became of the frames.

    Attributes:
        frames: How many were written, or were there already.
        failed: Why a frame was left out; each names it.
        lacking: Number of frames with labels that the layout has no place for, by what they are.
    """

    frames: int = 0
    failed: list[str] = field(default_factory=list)
    lacking: Counter[str] = field(default_factory=Counter)


def convert_dataset(
    data: str | Path,
    output: str | Path,
    layout: Layout,
    splits: Sequence[str] | None = None,
    progress: Callable[[], object] | None = None,
) -> Converted:
    """Writes a data set in another layout; reading that back gives the same labels.

    Boxes come back to within a thousandth of a pixel, masks pixel by pixel, missing labels stay missing. Pictures are
    copied byte by byte; what has no file, or one of a kind that the layout does not know, is written as PNG, for
    ``bdd100k`` as JPEG. Every file is written whole and a frame's picture last: the same call continues a broken run.

    Args:
        data: The YAML of the data set, or the folder that holds it as ``data.yaml``.
        output: A new or empty folder, or one that this conversion has begun.
        layout: ``yolo``, ``yolop``, ``coco`` or ``bdd100k``.
        splits: Which splits; all if None. Others can follow in a second call.
        progress: Called after each frame.

    Raises:
        YolopError: The data set cannot be opened, the folder is another one's, or it cannot be written.

    Example:
        >>> import tempfile
        >>> from yolopv2.data.synthetic import write_dataset
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = write_dataset(f"{folder}/scenes", {"val": 2}, height=96, width=160)
        ...     done = convert_dataset(f"{folder}/scenes", f"{folder}/coco", "coco")
        ...     done.frames, len(open_dataset(f"{folder}/coco", "val"))
        (2, 2)
    """
    output = Path(output)
    datasets = {name: open_dataset(data, name) for name in splits or split_names(data)}
    for split in datasets:
        if Path(split).name != split or split == "..":
            raise YolopError(f"The split {split!r} cannot be the name of a folder: rename it in {data}.")
    _claim(output, Path(data), layout)
    result = Converted()
    for split, dataset in datasets.items():
        write_split(dataset, WRITERS[layout](output, split, dataset.names), result, progress)
        _describe(output, layout, split, dataset)
    return result


def write_split(
    dataset: Dataset, writer: Writer, result: Converted, progress: Callable[[], object] | None = None
) -> None:
    """Writes the frames of one split; one that cannot be read is left out.

    Args:
        dataset: The split.
        writer: Of the layout.
        result: Is told what became of every frame.
        progress: Called after each frame.

    Raises:
        YolopError: A file cannot be written.
    """
    used: set[str] = set()
    for index in range(len(dataset)):
        try:
            sample = dataset[index]
        except YolopError as error:
            result.failed.append(str(error))
        else:
            writer.add(_unused_name(sample, used), sample)
            result.frames += 1
            result.lacking.update(writer.lacks(sample))
        if progress is not None:
            progress()
    writer.finish()


def _unused_name(sample: Sample, used: set[str]) -> str:
    """A frame's own name; frames of several sources may share one, and all but the first get a number."""
    own = name = sample.path.stem if sample.path is not None else Path(sample.source).name
    number = 1
    while name in used:
        number += 1
        name = f"{own}-{number}"
    used.add(name)
    return name


def _claim(output: Path, data: Path, layout: Layout) -> None:
    """Marks a folder as this conversion's, and refuses one that holds anything else."""
    described = data / "data.yaml" if data.is_dir() else data
    mark, wanted = output / _MARK, {"data": str(described.resolve()), "format": layout}
    if output.resolve() in _own_folders(described):
        raise YolopError(f"{output} holds the data set itself: choose another folder.")
    if output.exists() and not output.is_dir():
        raise YolopError(f"{output} is a file: choose a new or empty folder.")
    if mark.exists():
        try:
            there = json.loads(mark.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            there = None
        if there != wanted:
            raise YolopError(f"{mark} says that this folder holds another conversion ({there}): choose another folder.")
    elif output.exists() and any(output.iterdir()):
        raise YolopError(f"{output} is not empty and holds no conversion of {data}: choose a new or empty folder.")
    else:
        write_text_atomic(mark, json.dumps(wanted, indent=2) + "\n")


def _own_folders(described: Path) -> set[Path]:
    """The folders a data set lies in."""
    config = read_config(described)
    if isinstance(config, DatasetConfig):
        return {described.parent.resolve(), config.root.resolve()}
    return {described.parent.resolve()}.union(*(_own_folders(source.data) for source in config.sources))


def _describe(output: Path, layout: Layout, split: str, dataset: Dataset) -> None:
    """Writes the YAML, with the splits that were there before."""
    path = output / "data.yaml"
    splits = {split: split}
    if path.exists():
        config = read_config(path)
        splits = (config.splits if not isinstance(config, MixConfig) else {}) | splits
    described = {"format": layout, "root": ".", "splits": splits, "classes": list(dataset.names.values())}
    write_text_atomic(path, yaml.safe_dump(described, sort_keys=False, allow_unicode=True))
