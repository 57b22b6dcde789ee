"""A data set described by a small YAML: its format, where it is, its splits and its classes."""

from pathlib import Path
from typing import Literal, Protocol, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from yolopv2.data.classes import Classes
from yolopv2.data.formats import BDD100K, CamVid, Coco, Yolo, Yolop
from yolopv2.data.sample import Sample
from yolopv2.data.synthetic import CLASS_NAMES, SyntheticDataset
from yolopv2.errors import YolopError, nearest

Format = Literal["bdd100k", "yolop", "yolo", "coco", "camvid", "synthetic"]


class Dataset(Protocol):
    """The labelled frames of one split."""

    names: dict[int, str]
    """Class names by class id."""

    def __len__(self) -> int:
        """How many frames there are."""

    def __getitem__(self, index: int) -> Sample:
        """Reads one frame with its labels; raises `YolopError` when that cannot be done."""


class DatasetConfig(BaseModel):
    """What a data set's YAML says.

    Attributes:
        format: The layout of its files; see docs/data.md.
        root: Where they are, relative to the YAML.
        splits: The name that each split has in the files, by the name it is asked for, as ``{"val": "val2017"}``.
        classes: Categories that are a class each, or the categories of each class by its name, as
            ``{"vehicle": ["car", "truck", "bus", "train"]}``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Format
    root: Path = Path(".")
    splits: dict[str, str] = Field(min_length=1)
    classes: list[str] | dict[str, list[str | int]] = Field(default=[])


def read_config(path: str | Path) -> DatasetConfig:
    """Reads the YAML of a data set.

    Args:
        path: The YAML, or the folder that holds it as ``data.yaml``.

    Returns:
        What it says, with ``root`` made a path that leads there.

    Raises:
        YolopError: It is missing, no YAML, or says something that cannot be; an unknown key is told with the nearest
            one that exists.
    """
    path = Path(path) / "data.yaml" if Path(path).is_dir() else Path(path)
    try:
        config = DatasetConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise YolopError(f"There is no {path}: a data set is described by a YAML, see docs/data.md.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise YolopError(f"{path} cannot be read as YAML: {error}.") from None
    except ValidationError as error:
        raise YolopError(f"{path}: {_explain(error)}.") from None
    if not config.classes and config.format != "camvid":
        raise YolopError(f"{path}: 'classes' is missing, for example: classes: {{vehicle: [car, truck, bus, train]}}.")
    return config.model_copy(update={"root": path.parent / config.root.expanduser()})


def open_dataset(path: str | Path, split: str) -> Dataset:
    """Opens one split of a data set; its files are read in place.

    Args:
        path: The YAML, or the folder that holds it as ``data.yaml``.
        split: One of the splits it names.

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
    config = read_config(path)
    if split not in config.splits:
        raise YolopError(f"{path} has no split {split!r}{nearest(split, config.splits)}.")
    if config.format == "synthetic" and config.classes != list(CLASS_NAMES.values()):
        raise YolopError(f"{path}: generated scenes have the classes {list(CLASS_NAMES.values())} and no others.")
    return _open(config, config.splits[split])


def _open(config: DatasetConfig, split: str) -> Dataset:
    classes = Classes.of(config.classes)
    match config.format:
        case "bdd100k":
            return BDD100K(config.root, split, classes)
        case "yolop":
            return Yolop(config.root, split, classes)
        case "yolo":
            return Yolo(config.root, split, classes)
        case "coco":
            return Coco(config.root, split, classes)
        case "camvid":
            return CamVid(config.root, split, classes)
        case "synthetic":
            return SyntheticDataset(config.root, split)


def _explain(error: ValidationError) -> str:
    """The first thing wrong, in words."""
    first = error.errors()[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        return f"the key {key!r} is unknown{nearest(key, DatasetConfig.model_fields)}"
    if first["type"] == "missing":
        return f"the key {key!r} is missing"
    if key == "format":
        return f"the format {first['input']!r} is unknown{nearest(str(first['input']), get_args(Format))}"
    return f"{key or 'the file'}: {first['msg']}, got {str(first['input'])[:60]!r}"
