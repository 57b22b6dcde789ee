"""Looks on disk: those of many pictures, or of long videos, do not fit into memory."""

import io
import json
import zlib
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from yolopv2.geometry.boxes import nms
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference import Thresholds
from yolopv2.scene import Vehicles
from yolopv2.scene.instances import InstanceMasks
from yolopv2.studio.look import Look
from yolopv2.studio.sessions import Shelf

_FAST = 1
"""Compression of masks, whose bits are long runs."""


class Numbers(NamedTuple):
    """One frame in numbers.

    Attributes:
        vehicles: How many.
        drivable: Share of the frame, 0 to 1, counted at the network's resolution; None where it was not looked for.
        lanes: Likewise.
    """

    vehicles: int
    drivable: float | None
    lanes: float | None


class Looks:
    """Looks in one file, in the order they were added; reading them runs no code.

    Args:
        shelf: Where the file is, and who counts its bytes.
        name: Of the file.
    """

    def __init__(self, shelf: Shelf, name: str) -> None:
        self._shelf, self._path = shelf, shelf.folder / name
        self._ends = [0]

    def __len__(self) -> int:
        return len(self._ends) - 1

    def add(self, look: Look) -> None:
        """Keeps a look.

        Raises:
            Refusal: There is no room.
        """
        data = _packed(look)
        self._shelf.take(len(data))
        with self._path.open("ab") as file:
            file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def __getitem__(self, index: int) -> Look:
        return _unpacked(self._read(index))

    def numbers(self, index: int, thresholds: Thresholds) -> Numbers:
        """What is seen in a frame, without drawing up its masks."""
        kept = self._read(index)
        likely = kept["confidence"] >= thresholds.conf
        boxes, confidence, classes = (kept[name][likely] for name in ("xyxy", "confidence", "class_id"))
        vehicles = len(nms(boxes, confidence, classes, thresholds.iou, thresholds.max_det))
        return Numbers(
            vehicles,
            _share_above(kept["drivable_counts"], thresholds.drivable_conf),
            _share_above(kept["lanes_counts"], thresholds.lane_conf),
        )

    def _read(self, index: int) -> Any:
        """The arrays of a look, each read when it is asked for."""
        with self._path.open("rb") as file:
            file.seek(self._ends[index])
            return np.load(io.BytesIO(file.read(self._ends[index + 1] - self._ends[index])), allow_pickle=False)


def _share_above(counts: NDArray[np.int64], threshold: float) -> float | None:
    """The share of pixels above a threshold, of how often each value occurs."""
    total = int(counts.sum())
    return float(counts[np.arange(256) > threshold * 255].sum() / total) if total else None


def _packed(look: Look) -> bytes:
    """A look as the bytes of an ``.npz``."""
    vehicles, instances = look.vehicles, look.vehicles.instances
    parts = () if instances is None else instances.parts
    bits = np.packbits(np.concatenate([part.ravel() for part in parts])) if parts else np.empty(0, np.uint8)
    counts = look.counts()
    facts = {
        "letterbox": asdict(look.letterbox),
        "names": list(look.names.items()),
        "milliseconds": look.milliseconds,
        "has": [name for name in ("drivable", "lanes") if getattr(look, name) is not None],
        "frame": None if instances is None else [instances.height, instances.width],
    }
    buffer = io.BytesIO()
    np.savez(
        buffer,
        facts=_bytes(json.dumps(facts).encode()),
        xyxy=vehicles.xyxy,
        confidence=vehicles.confidence,
        class_id=vehicles.class_id,
        corners=np.array([] if instances is None else instances.corners, np.int32).reshape(-1, 2),
        shapes=np.array([part.shape for part in parts], np.int32).reshape(-1, 2),
        masks=_bytes(zlib.compress(bits.tobytes(), _FAST)),
        drivable=_bytes(look.drivable),
        lanes=_bytes(look.lanes),
        drivable_counts=np.array(counts["drivable"] or [], np.int64),
        lanes_counts=np.array(counts["lanes"] or [], np.int64),
    )
    return buffer.getvalue()


def _unpacked(kept: Any) -> Look:
    facts = json.loads(kept["facts"].tobytes())
    instances = None
    if facts["frame"] is not None:
        shapes = [(int(height), int(width)) for height, width in kept["shapes"]]
        ends = np.cumsum([height * width for height, width in shapes], dtype=np.int64)
        bits = np.frombuffer(zlib.decompress(kept["masks"].tobytes()), np.uint8)
        flat = np.split(np.unpackbits(bits)[: ends[-1] if len(ends) else 0].astype(bool), ends[:-1])
        parts = tuple(part.reshape(shape) for part, shape in zip(flat, shapes, strict=False))
        corners = tuple((int(x), int(y)) for x, y in kept["corners"])
        height, width = facts["frame"]
        instances = InstanceMasks(height, width, corners, parts)
    return Look(
        vehicles=Vehicles(kept["xyxy"], kept["confidence"], kept["class_id"], instances),
        drivable=kept["drivable"].tobytes() if "drivable" in facts["has"] else None,
        lanes=kept["lanes"].tobytes() if "lanes" in facts["has"] else None,
        letterbox=Letterbox(**facts["letterbox"]),
        names=dict(facts["names"]),
        milliseconds=facts["milliseconds"],
    )


def _bytes(data: bytes | None) -> NDArray[np.uint8]:
    return np.frombuffer(data or b"", np.uint8)
