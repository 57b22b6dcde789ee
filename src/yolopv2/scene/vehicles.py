"""Vehicles: what was detected in one frame, one row per vehicle."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yolopv2.scene.instances import InstanceMasks


@dataclass(frozen=True, eq=False, init=False)
class Vehicles:
    """Detected vehicles, one row each, in pixels of the original frame.

    Attributes:
        xyxy: float32 ``[n, 4]``, ``x1 y1 x2 y2``.
        confidence: float32 ``[n]``, in 0 to 1.
        class_id: int64 ``[n]``.
        instances: One instance mask per vehicle, each as the part of the frame it lies in, or None.
        track_id: int64 ``[n]``, the same number for the same vehicle through a video, or None.

    Args:
        xyxy: Also any nested sequence, as the others.
        confidence: As above.
        class_id: As above.
        masks: bool ``[n, H, W]``, or `InstanceMasks`, or None.
        track_id: As above.

    Raises:
        ValueError: They are not of one length.

    Example:
        >>> vehicles = Vehicles(xyxy=[[0, 0, 9, 9], [5, 5, 8, 8]], confidence=[0.9, 0.4], class_id=[2, 7])
        >>> len(vehicles), vehicles[vehicles.confidence > 0.5].class_id.tolist()
        (2, [2])
    """

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int64]
    instances: InstanceMasks | None
    track_id: NDArray[np.int64] | None

    def __init__(
        self,
        xyxy: ArrayLike,
        confidence: ArrayLike,
        class_id: ArrayLike,
        masks: ArrayLike | InstanceMasks | None = None,
        track_id: ArrayLike | None = None,
    ) -> None:
        boxes = np.asarray(xyxy, np.float32).reshape(-1, 4)
        columns: dict[str, NDArray[np.generic] | None] = {
            "xyxy": boxes,
            "confidence": np.asarray(confidence, np.float32),
            "class_id": np.asarray(class_id, np.int64),
            "masks": None if masks is None or isinstance(masks, InstanceMasks) else np.asarray(masks, np.bool_),
            "track_id": None if track_id is None else np.asarray(track_id, np.int64),
        }
        for name, column in columns.items():
            expected = {"xyxy": 2, "masks": 3}.get(name, 1)
            if column is not None and (column.ndim != expected or len(column) != len(boxes)):
                raise ValueError(f"{name} of {len(boxes)} vehicles has the shape {column.shape}")
        whole = columns.pop("masks")
        instances = masks if whole is None else InstanceMasks.of(whole.astype(np.bool_, copy=False))
        if isinstance(instances, InstanceMasks) and len(instances) != len(boxes):
            raise ValueError(f"{len(boxes)} vehicles have {len(instances)} masks")
        for name, value in {**columns, "instances": instances}.items():
            object.__setattr__(self, name, value)

    @cached_property
    def masks(self) -> NDArray[np.bool_] | None:
        """bool ``[n, H, W]``, one instance mask per vehicle, or None. Made whole once, when first asked for."""
        return None if self.instances is None else self.instances.whole()

    @classmethod
    def empty(cls) -> "Vehicles":
        """No vehicle at all."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, index: ArrayLike | slice) -> "Vehicles":
        """The vehicles at an index: a bool ``[n]``, integers, or a slice."""
        rows = index if isinstance(index, slice) else np.atleast_1d(np.asarray(index))
        return Vehicles(
            self.xyxy[rows],
            self.confidence[rows],
            self.class_id[rows],
            None if self.instances is None else self.instances.pick(np.arange(len(self))[rows].tolist()),
            None if self.track_id is None else self.track_id[rows],
        )
