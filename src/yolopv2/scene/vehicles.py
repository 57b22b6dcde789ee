"""Vehicles: what was detected in one frame, one row per vehicle."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Vehicles:
    """Detected vehicles, one row each, in pixels of the original frame.

    Attributes:
        xyxy: float32 ``[n, 4]``, ``x1 y1 x2 y2``.
        confidence: float32 ``[n]``, in 0 to 1.
        class_id: int64 ``[n]``.
        masks: bool ``[n, H, W]``, one instance mask per vehicle, or None.
        track_id: int64 ``[n]``, the same number for the same vehicle through a video, or None.

    Example:
        >>> vehicles = Vehicles(xyxy=[[0, 0, 9, 9], [5, 5, 8, 8]], confidence=[0.9, 0.4], class_id=[2, 7])
        >>> len(vehicles), vehicles[vehicles.confidence > 0.5].class_id.tolist()
        (2, [2])
    """

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int64]
    masks: NDArray[np.bool_] | None = None
    track_id: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        xyxy = np.asarray(self.xyxy, np.float32).reshape(-1, 4)
        columns: dict[str, NDArray[np.generic] | None] = {
            "xyxy": xyxy,
            "confidence": np.asarray(self.confidence, np.float32),
            "class_id": np.asarray(self.class_id, np.int64),
            "masks": None if self.masks is None else np.asarray(self.masks, np.bool_),
            "track_id": None if self.track_id is None else np.asarray(self.track_id, np.int64),
        }
        for name, column in columns.items():
            expected = {"xyxy": 2, "masks": 3}.get(name, 1)
            if column is not None and (column.ndim != expected or len(column) != len(xyxy)):
                raise ValueError(f"{name} of {len(xyxy)} vehicles has the shape {column.shape}")
            object.__setattr__(self, name, column)

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
            None if self.masks is None else self.masks[rows],
            None if self.track_id is None else self.track_id[rows],
        )
