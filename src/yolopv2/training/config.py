"""The configuration of a run: frozen, complete, read from YAML and from ``name=value`` words."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import TypeAdapter, ValidationError

from yolopv2.data.augment import AugmentConfig
from yolopv2.errors import YolopError, nearest
from yolopv2.network import ALL_HEADS, HEADS, variant
from yolopv2.network.encoder import AGGREGATIONS
from yolopv2.network.network import check_heads
from yolopv2.training.losses import LossConfig

PARTS = ("backbone", "neck", *ALL_HEADS)
"""The parts of a network that can be frozen; ``encoder`` is the first two."""


@dataclass(frozen=True)
class TrainConfig:
    """One run.

    Attributes:
        weights: What to start from: a name of the catalogue or a checkpoint; None starts from random weights.
        variant: ``nano``, ``small`` or ``base``; the checkpoint's own where there are ``weights``.
        encoder: ``elan`` as released, or ``e-elan`` as in the paper; the checkpoint's own where there are ``weights``.
        heads: The heads that the network has: ``detection``, ``drivable``, ``lanes``, and ``masks`` where asked for.
        freeze: Parts that do not learn, normalisation statistics included: ``backbone``, ``neck``, ``encoder``, or a
            head's name.
        anchors: ``auto`` clusters the data's boxes where the given ones do not fit them, ``keep`` never does.
        epochs: Rounds through the data.
        epoch_samples: Samples of a round; None for as many as there are frames.
        batch_size: Frames per step, over all processes.
        nominal_batch: Frames per update: gradients of several steps are gathered when the batch is smaller.
        height: Of the training canvas in pixels, a multiple of 32.
        width: Of the training canvas in pixels, a multiple of 32.
        lanes: How lane masks shrink to the canvas: ``touch`` keeps every pixel that a marking touches, ``area`` gives
            each the share that is marked, as a soft target.
        optimizer: ``adamw`` or ``sgd`` (with Nesterov momentum).
        learning_rate: Its peak.
        final_rate: Share of the peak that is left at the end of the cosine.
        momentum: Of SGD; the first beta of AdamW.
        weight_decay: On weights, not on biases and normalisations.
        warmup_epochs: Rounds of linear rise, at most a tenth of all.
        clip: Largest norm of the gradient; 0 does not clip.
        ema_decay: Of the averaged weights, which are what is validated and kept; 0 keeps the last ones.
        close_mosaic: Last rounds without mosaic and MixUp.
        precision: ``auto`` (bfloat16 where the device is quick in it), ``float32``, ``bfloat16`` or ``float16``.
        compile: Whether torch.compile makes the network; on the CPU it was measured on it gained nothing.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        devices: How many of them; one process each. Under torchrun, as many as it started.
        sync_norm: Whether normalisation statistics are those of all processes' frames together.
        workers: Processes that load and augment, for each process that trains.
        cache: Where frames are kept at training size: ``none``, ``ram`` or, for later runs as well, ``disk``.
        save_every: Minutes between checkpoints within a round.
        validate_every: Rounds between validations.
        seed: Of everything.
        loss: Weights and forms of the losses.
        augment: How far frames are varied.

    Example:
        >>> config = make_config({"epochs": 3, "loss": {"drivable": 2}})
        >>> config.epochs, config.loss.drivable, config.optimizer
        (3, 2.0, 'adamw')
    """

    weights: str | None = None
    variant: str = "nano"
    encoder: str = "elan"
    heads: tuple[str, ...] = HEADS
    freeze: tuple[str, ...] = ()
    anchors: Literal["auto", "keep"] = "auto"
    epochs: int = 100
    epoch_samples: int | None = None
    batch_size: int = 16
    nominal_batch: int = 16
    height: int = 384
    width: int = 640
    lanes: Literal["touch", "area"] = "touch"
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = 1e-3
    final_rate: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 0.03
    warmup_epochs: float = 3.0
    clip: float = 10.0
    ema_decay: float = 0.999
    close_mosaic: int = 10
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    compile: bool = False
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    devices: int = 1
    sync_norm: bool = False
    workers: int = 2
    cache: Literal["none", "ram", "disk"] = "none"
    save_every: float = 5.0
    validate_every: int = 1
    seed: int = 0
    loss: LossConfig = field(default_factory=LossConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        variant(self.variant)
        for name in ("epochs", "batch_size", "nominal_batch", "devices", "validate_every"):
            _require(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        for name in ("workers", "close_mosaic", "seed", "clip", "weight_decay", "warmup_epochs", "save_every"):
            _require(0 <= getattr(self, name) < float("inf"), name, "not negative", getattr(self, name))
        for name in ("momentum", "ema_decay"):
            _require(0 <= getattr(self, name) < 1, name, "in 0..1, below 1", getattr(self, name))
        for name in ("height", "width"):
            value = getattr(self, name)
            _require(value >= 32 and value % 32 == 0, name, "a multiple of 32 pixels", value)
        _require(0 < self.learning_rate < float("inf"), "learning_rate", "positive", self.learning_rate)
        _require(0 <= self.final_rate <= 1, "final_rate", "a share in 0..1", self.final_rate)
        _require(self.epoch_samples is None or self.epoch_samples >= 1, "epoch_samples", "at least 1", 0)
        _require(
            self.batch_size % self.devices == 0, "batch_size", f"a multiple of {self.devices} devices", self.batch_size
        )
        _known("encoder", [self.encoder], AGGREGATIONS)
        _known("heads", self.heads, ALL_HEADS)
        _known("freeze", self.freeze, (*PARTS, "encoder"))
        _require(bool(self.heads), "heads", "at least one head", "none")
        check_heads(self.heads)

    @property
    def accumulate(self) -> int:
        """Steps per update."""
        return max(1, round(self.nominal_batch / self.batch_size))

    def to_dict(self) -> dict[str, Any]:
        """Pure YAML and JSON types; `make_config` gives the configuration back."""
        return TypeAdapter(dict[str, Any]).dump_python(asdict(self), mode="json")


def make_config(*layers: Mapping[str, Any]) -> TrainConfig:
    """A configuration from what is given, the rest by default.

    Args:
        layers: Values by name, nested for ``loss`` and ``augment``; later ones win.

    Raises:
        YolopError: A name does not exist (the nearest one is told), or a value cannot be.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        _merge(merged, layer, TrainConfig, "")
    try:
        return TypeAdapter(TrainConfig).validate_python(merged)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise YolopError(f"training configuration, {where}: {first['msg']}, got {str(first['input'])[:60]!r}") from None


def read_config(path: str | Path) -> dict[str, Any]:
    """The values of a YAML, for `make_config`.

    Args:
        path: The file, or the name of a recipe that comes with the package: ``paper``.

    Raises:
        YolopError: It cannot be read.
    """
    recipe = Path(__file__).parent / "recipes" / f"{path}.yaml"
    path = recipe if recipe.is_file() else Path(path)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise YolopError(f"The configuration {path} cannot be read: {error}.") from None
    if not isinstance(values, dict):
        raise YolopError(f"The configuration {path} must hold names and values, not a {type(values).__name__}.")
    values.pop("data", None)  # in a run's own config.yaml; which data is learned from is said apart
    return values


def parse_words(words: Sequence[str]) -> dict[str, Any]:
    """Values from ``name=value`` words.

    Args:
        words: Such as ``loss.drivable=2``; values are read as YAML.

    Raises:
        YolopError: A word has another form.

    Example:
        >>> parse_words(["epochs=3", "loss.drivable=2", "augment.zoom=[0.8, 1.5]"])
        {'epochs': 3, 'loss': {'drivable': 2}, 'augment': {'zoom': [0.8, 1.5]}}
    """
    values: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise YolopError(f"{word!r} is no setting: write name=value, for example loss.drivable=2")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise YolopError(f"{word!r}: {text!r} is no value") from None
        *sections, last = name.split(".")
        inner = values
        for section in sections:
            inner = inner.setdefault(section, {})
            if not isinstance(inner, dict):
                raise YolopError(f"{word!r}: {section!r} already has a value of its own")
        inner[last] = value
    return values


def _merge(into: dict[str, Any], layer: Mapping[str, Any], of: type, prefix: str) -> None:
    """Adds a layer's values, sections by their own values."""
    known = {f.name: f for f in fields(of)}
    for name, value in layer.items():
        if name not in known:
            near = nearest(str(name), known)
            raise YolopError(f"training configuration: there is no {prefix + str(name)!r}{near}")
        section = known[name].default_factory
        if isinstance(section, type) and is_dataclass(section):
            if not isinstance(value, Mapping):
                raise YolopError(f"training configuration: {prefix + name!r} is a section of values, not {value!r}")
            _merge(into.setdefault(name, {}), value, section, f"{prefix}{name}.")
        else:
            into[name] = value


def _require(holds: bool, name: str, wanted: str, value: object) -> None:
    if not holds:
        raise YolopError(f"training configuration: {name} must be {wanted}, not {value}")


def _known(name: str, values: Sequence[str], known: Sequence[str] | Mapping[str, Any]) -> None:
    for value in values:
        if value not in known:
            raise YolopError(f"training configuration, {name}: there is no {value!r}{nearest(value, known)}")
