"""What the YAML of a data set says: one set with its format, or several to be mixed."""

from pathlib import Path
from typing import Annotated, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from yolopv2.data.formats.bdd100k import DRIVABLE_KINDS, DrivableKind
from yolopv2.errors import YolopError, nearest

Format = Literal["bdd100k", "yolop", "yolo", "coco", "bdd10k", "cityscapes", "camvid", "synthetic", "packed"]

Width = Annotated[float, Field(gt=0, allow_inf_nan=False)]

_OF_BDD100K = {"drivable": "kinds of drivable area", "lane_width": "lanes drawn as outlines"}
"""Keys that one format alone can follow, and why."""


class DatasetConfig(BaseModel):
    """One data set.

    Attributes:
        format: The layout of its files; see docs/data.md.
        root: Where they are, relative to the YAML.
        splits: The name that each split has in the files, by the name it is asked for, as ``{"val": "val2017"}``.
        classes: Categories that are a class each, or the categories of each class by its name, as
            ``{"vehicle": ["car", "truck", "bus", "train"]}``.
        drivable: Which kinds of drivable area count; of `bdd100k` alone.
        lane_width: Width of lanes drawn as outlines, in pixels of a frame of 720 rows, for all splits or by the name a
            split is asked for; of `bdd100k` alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Format
    root: Path = Path(".")
    splits: dict[str, str] = Field(min_length=1)
    classes: list[str] | dict[str, list[str | int]] = Field(default=[])
    drivable: list[DrivableKind] = Field(default=list(DRIVABLE_KINDS), min_length=1)
    lane_width: Width | dict[str, Width] = Field(default={})


class SourceConfig(BaseModel):
    """One of several data sets.

    Attributes:
        data: Its YAML, relative to the one that names it.
        share: How much of the samples are drawn from it, in proportion to the other sources.
        splits: The name that each split has in its YAML; if not given, the same names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path
    share: float = Field(gt=0, allow_inf_nan=False)
    splits: dict[str, str] | None = None


class MixConfig(BaseModel):
    """Several data sets.

    Attributes:
        sources: What they are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: list[SourceConfig] = Field(min_length=1)


def read_config(path: str | Path) -> DatasetConfig | MixConfig:
    """Reads the YAML of a data set.

    Args:
        path: The YAML, or the folder that holds it as ``data.yaml``.

    Returns:
        What it says, with the paths in it made such that they lead there.

    Raises:
        YolopError: It is missing, no YAML, or says something that cannot be; an unknown key is told with the nearest
            one that exists.
    """
    path = Path(path) / "data.yaml" if Path(path).is_dir() else Path(path)
    try:
        described = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise YolopError(f"There is no {path}: a data set is described by a YAML, see docs/data.md.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise YolopError(f"{path} cannot be read as YAML: {error}.") from None
    schema = MixConfig if isinstance(described, dict) and "sources" in described else DatasetConfig
    try:
        config = schema.model_validate(described)
    except ValidationError as error:
        raise YolopError(f"{path}: {_explain(error, schema)}.") from None
    if isinstance(config, MixConfig):
        sources = [source.model_copy(update={"data": _beside(path, source.data)}) for source in config.sources]
        return config.model_copy(update={"sources": sources})
    _check_keys(path, config)
    return config.model_copy(update={"root": _beside(path, config.root)})


def _beside(path: Path, other: Path) -> Path:
    return path.parent / other.expanduser()


def _check_keys(path: Path, config: DatasetConfig) -> None:
    """Refuses what the format cannot follow."""
    if "classes" not in config.model_fields_set and config.format != "camvid":
        raise YolopError(f"{path}: 'classes' is missing, for example: classes: {{vehicle: [car, truck, bus, train]}}.")
    if config.format == "packed" and isinstance(config.classes, dict):
        raise YolopError(f"{path}: packed frames have numbers for classes: list their names, as classes: [vehicle].")
    for key, what in _OF_BDD100K.items():
        if key in config.model_fields_set and config.format != "bdd100k":
            raise YolopError(f"{path}: {key!r} is for the format bdd100k, {config.format} knows no {what}; remove it.")
    if isinstance(config.lane_width, dict):
        for split in config.lane_width:
            if split not in config.splits:
                raise YolopError(f"{path}: 'lane_width' names no split with {split!r}{nearest(split, config.splits)}.")


def _explain(error: ValidationError, schema: type[BaseModel]) -> str:
    """The first thing wrong, in words; an unknown key comes first, for a missing one may be what is meant."""
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    where = [str(step) for step in first["loc"]]
    key = where[0] if where else ""
    if schema is MixConfig and len(where) > 2:
        key, schema = where[2], SourceConfig
        place = f"source {int(where[1]) + 1}: "
    else:
        place = ""
    if first["type"] == "extra_forbidden":
        return f"{place}the key {key!r} is unknown{nearest(key, schema.model_fields)}"
    if first["type"] == "missing":
        return f"{place}the key {key!r} is missing"
    if key == "format":
        return f"the format {first['input']!r} is unknown{nearest(str(first['input']), get_args(Format))}"
    if key == "drivable" and first["type"] == "literal_error":
        return f"the kind of drivable area {first['input']!r} is unknown{nearest(str(first['input']), DRIVABLE_KINDS)}"
    return f"{place}{key or 'the file'}: {first['msg']}, got {str(first['input'])[:60]!r}"
