"""What a checkpoint says about itself; readable without PyTorch."""

import json
import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from yolopv2.errors import YolopError

if TYPE_CHECKING:
    from yolopv2.network import Network

FORMAT = 1
"""Version of the checkpoint format that this program writes, and the newest that it reads."""

METADATA_KEY = "yolopv2"
"""Key under which the description lies in a safetensors header and in an ONNX file's ``metadata_props``."""

_LARGEST_HEADER = 16 << 20


class CheckpointMeta(BaseModel):
    """The description that travels with the weights.

    Attributes:
        format: Version of the format.
        variant: ``nano``, ``small`` or ``base``.
        encoder: ``elan`` or ``e-elan``.
        form: ``training`` (with batch normalisation) or ``deployed`` (folded, as released).
        heads: The heads the network has.
        names: Class names in the order of the class ids.
        anchors: Width and height in pixels at network scale: three strides, three anchors each.
        strides: The detection maps' strides.
        provenance: Where the weights come from: data, source file, licence.
        training: The configuration they were trained with.
        metrics: What was measured, by name.

    Example:
        >>> from yolopv2.network import Network
        >>> meta = CheckpointMeta.of(Network("nano", classes=1), names=["vehicle"], metrics={"lane_iou": 0.25})
        >>> meta.variant, meta.names_by_id, CheckpointMeta.from_dict(meta.to_dict()) == meta
        ('nano', {0: 'vehicle'}, True)
    """

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    variant: str
    encoder: str = "elan"
    form: Literal["training", "deployed"]
    heads: tuple[str, ...]
    names: tuple[str, ...]
    anchors: tuple[tuple[tuple[float, float], ...], ...]
    strides: tuple[int, ...] = (8, 16, 32)
    provenance: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, Any] = Field(default_factory=dict)

    @field_validator("anchors")
    @classmethod
    def _three_by_three(cls, anchors: tuple[tuple[tuple[float, float], ...], ...]) -> Any:
        if [len(level) for level in anchors] != [3, 3, 3]:
            raise ValueError("there must be three anchors for each of three strides")
        return anchors

    @classmethod
    def of(
        cls,
        network: "Network",
        names: Sequence[str] | None = None,
        provenance: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> "CheckpointMeta":
        """Describes a network.

        Args:
            network: Whose structure is described.
            names: Class names by class id; without them ``vehicle`` for the only class, else ``class 0`` and so on.
            provenance: See the attributes.
            training: See the attributes.
            metrics: See the attributes.

        Raises:
            YolopError: The number of names is not the number of classes.
        """
        if names is None:
            names = ["vehicle"] if network.classes == 1 else [f"class {i}" for i in range(network.classes)]
        if len(names) != network.classes:
            raise YolopError(f"The network has {network.classes} classes, but {len(names)} names were given.")
        return cls(
            variant=network.variant_name,
            encoder=network.encoder_name,
            form="training" if any(".running_mean" in key for key in network.encoder.state_dict()) else "deployed",
            heads=network.heads,
            names=tuple(names),
            anchors=network.anchors.tolist(),  # type: ignore[arg-type]  # pydantic turns the lists into tuples
            provenance=dict(provenance or {}),
            training=dict(training or {}),
            metrics=dict(metrics or {}),
        )

    @property
    def names_by_id(self) -> dict[int, str]:
        """Class names by class id."""
        return dict(enumerate(self.names))

    def to_dict(self) -> dict[str, Any]:
        """Pure JSON types; numbers that JSON lacks (NaN, infinity) become None."""
        return json.loads(self.model_dump_json())

    @classmethod
    def from_dict(cls, described: Any, where: str = "checkpoint") -> "CheckpointMeta":
        """The inverse of `to_dict`.

        Args:
            described: What the JSON held.
            where: What the error is to call its source.

        Raises:
            YolopError: A newer format, or the description is not one; the message names the wrong field.
        """
        version = described.get("format") if isinstance(described, dict) else None
        if isinstance(version, int) and version > FORMAT:
            raise YolopError(
                f"{where} has checkpoint format {version}; this program reads up to {FORMAT}. Update it: "
                "pip install --upgrade yolopv2"
            )
        try:
            return cls.model_validate(described)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise YolopError(f"{where}: its description is damaged at '{field}': {first['msg']}.") from None


def read_meta(path: str | os.PathLike[str]) -> CheckpointMeta:
    """Reads the description of a safetensors checkpoint, and nothing but the description.

    Args:
        path: A file that `save_checkpoint` wrote.

    Raises:
        YolopError: The file is missing, damaged, of a newer format, or no checkpoint of this program.
    """
    header = read_header(path)
    metadata = header.get("__metadata__")
    text = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise YolopError(
            f"{path} is a safetensors file without a description of this program; only checkpoints of this program "
            "can be loaded; 'yolopv2 models import' makes one of the released yolopv2.pt."
        )
    return CheckpointMeta.from_dict(_json(text, path), str(path))


def read_header(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The JSON header of a safetensors file: eight bytes of length, then the text.

    Raises:
        YolopError: The file is missing, unreadable, truncated, or no safetensors file.
    """
    try:
        size = Path(path).stat().st_size
        with open(path, "rb") as file:
            prefix = file.read(8)
            length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else -1
            text = file.read(length) if 0 < length <= min(size - 8, _LARGEST_HEADER) else b""
    except OSError as error:
        raise YolopError(f"Cannot read {path}: {error.strerror or error}.") from None
    if not text.startswith(b"{"):
        raise YolopError(f"{path} is no safetensors file, or only a part of one ({size} bytes); get it again.")
    header = _json(text, path)
    try:
        ends = [int(entry["data_offsets"][1]) for name, entry in header.items() if name != "__metadata__"]
    except (KeyError, IndexError, TypeError, ValueError):
        raise YolopError(f"{path}: its header lists no tensors; the file is damaged, get it again.") from None
    if size != 8 + length + max(ends, default=0):
        raise YolopError(
            f"{path} has {size} bytes, its header promises {8 + length + max(ends, default=0)}; get it again."
        )
    return header


def _json(text: str | bytes, path: str | os.PathLike[str]) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise YolopError(f"{path}: its header is not JSON; the file is damaged, get it again.") from None
