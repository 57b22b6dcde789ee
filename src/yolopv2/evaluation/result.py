"""Evaluation: everything that was measured, with what it takes to trust and to repeat it; read and written as JSON."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from yolopv2.errors import YolopError
from yolopv2.evaluation.protocols import PROTOCOLS, Protocol
from yolopv2.evaluation.records import FrameRecord
from yolopv2.files import write_text_atomic

SCHEMA = 1
"""Version of the JSON that this program writes, and the newest that it reads."""

HEADLINE = ("ap50", "drivable_miou", "drivable_iou", "lane_iou", "pq")
"""Scores that stand first, those of them there are."""


@dataclass(frozen=True)
class Evaluation:
    """What was measured of one network on one split by one protocol.

    Attributes:
        protocol: Name of the protocol; a number without it means nothing.
        model: Facts of the network: ``size`` (long side of its canvas), ``runtime``, ``classes``, and where they are
            known ``weights``, ``sha256``, ``variant``.
        data: Facts of the data: ``frames``, ``classes`` by class id, ``lane_width`` (pixels, measured; None without
            lanes), and where they are known ``path`` and ``split``.
        metrics: Scores by name, each in 0..1; a task without labels or head is not there.
        intervals: 95 % bootstrap intervals over frames, low and high, of the scores that can be computed for any choice
            of frames; see `yolopv2.evaluation.resampling`.
        unavailable: What the protocol asks for and cannot be had, with the reason.
        notes: What a reader of the numbers must know.
        per_class: Scores by class name.
        per_size: Scores by COCO's sizes of objects; empty where the protocol has none.
        curves: Precision and confidence at 101 points of recall (IoU 0.5), by class name.
        confusion: ``tp``, ``fp``, ``fn`` (and ``tn``) by task: pixels of masks, segments of panoptic qualities.
        calibration: Reliability of confidences in ten bins: ``low``, ``high``, ``count``, ``confidence``, ``hits``.
        frames: A record of each frame.
        unreadable: Frames that could not be scored, each with the reason.
        robustness: Scores on corrupted frames, see `yolopv2.evaluation.robustness.measure_robustness`; empty where not
            measured.
        speed: Times of this machine, see `yolopv2.evaluation.speed.measure_speed`; empty where not measured.
        command: How to measure it again.
        versions: Of this package and what it stands on.
        date: When, ISO 8601 with the time zone.
    """

    protocol: str
    model: Mapping[str, Any]
    data: Mapping[str, Any]
    metrics: Mapping[str, float]
    intervals: Mapping[str, list[float]] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    per_class: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    per_size: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, list[float]]] = field(default_factory=dict)
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    calibration: list[dict[str, float]] = field(default_factory=list)
    frames: tuple[FrameRecord, ...] = ()
    unreadable: tuple[str, ...] = ()
    robustness: Mapping[str, Any] = field(default_factory=dict)
    speed: Mapping[str, Any] = field(default_factory=dict)
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    date: str = ""

    @property
    def rules(self) -> Protocol:
        """The protocol itself."""
        return PROTOCOLS[self.protocol]

    @property
    def names(self) -> dict[int, str]:
        """The data set's class names by class id."""
        return dict(enumerate(self.data["classes"]))

    def to_dict(self) -> dict[str, Any]:
        """As JSON types, with the version of the schema first."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        plain["frames"] = [record.to_dict() for record in self.frames]
        return {"schema": SCHEMA} | {
            n: list(value) if isinstance(value, tuple) else value for n, value in plain.items()
        }

    @classmethod
    def from_dict(cls, data: Any, where: str = "evaluation") -> "Evaluation":
        """The inverse of `to_dict`; frames come back with what hits at IoU 0.5 only.

        Args:
            data: What the JSON held.
            where: What the error is to call its source.

        Raises:
            YolopError: It is none, of a newer schema, or damaged; the message names the field.
        """
        version = data.get("schema") if isinstance(data, dict) else None
        if not isinstance(version, int):
            raise YolopError(f"{where} is no evaluation: write one with 'yolopv2 evaluate ... --json FILE'")
        if version > SCHEMA:
            raise YolopError(f"{where} has schema {version}, this program reads up to {SCHEMA}: update yolopv2")
        values: dict[str, Any] = {}
        for each in fields(cls):
            if each.name not in data:
                raise YolopError(f"{where} is damaged: the field {each.name!r} is missing")
            kind = _KINDS.get(each.name, dict)
            if not isinstance(data[each.name], kind):
                raise YolopError(f"{where} is damaged: the field {each.name!r} is no {kind.__name__}")
            values[each.name] = data[each.name]
        if not isinstance(values["data"].get("classes"), list):
            raise YolopError(f"{where} is damaged: the field 'data' has no list of classes")
        if values["protocol"] not in PROTOCOLS:
            raise YolopError(f"{where}: no protocol is called {values['protocol']!r}")
        for number, record in enumerate(values["frames"]):
            try:
                values["frames"][number] = FrameRecord.from_dict(record)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise YolopError(f"{where} is damaged at frame {number}: {error!r}") from None
        for name in ("frames", "notes", "unreadable"):
            values[name] = tuple(values[name])
        return cls(**values)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it as JSON, whole or not at all.

        Raises:
            YolopError: It cannot be written.
        """
        write_text_atomic(path, json.dumps(self.to_dict(), separators=(",", ":"), allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Evaluation":
        """Reads what `save` wrote.

        Raises:
            YolopError: It is missing, no JSON, or no evaluation.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise YolopError(f"{path} cannot be read as JSON: {error}") from None
        return cls.from_dict(data, str(path))


_KINDS = {
    "protocol": str,
    "notes": list,
    "calibration": list,
    "frames": list,
    "unreadable": list,
    "command": str,
    "date": str,
}
"""JSON types of the fields; the others are objects."""
