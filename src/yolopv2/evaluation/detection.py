"""Average precision of boxes."""

import numpy as np
from numpy.typing import NDArray

from yolopv2.geometry.boxes import iou_matrix

RECALL_POINTS = np.linspace(0, 1, 101)


class BoxScore:
    """Average precision of one class at one IoU threshold; `update` adds a frame.

    Detections are matched by falling confidence, each to the unmatched label it overlaps most; the average precision is
    the area under the precision envelope, read at 101 points of recall.

    Args:
        iou: Least overlap of a hit.
    """

    def __init__(self, iou: float = 0.5) -> None:
        self.iou = iou
        self._confidence: list[NDArray[np.float32]] = []
        self._hit: list[NDArray[np.bool_]] = []
        self.labels = 0

    def update(self, boxes: NDArray[np.float32], confidence: NDArray[np.float32], labels: NDArray[np.float32]) -> None:
        """Adds one frame: ``boxes`` ``[n, 4]`` with ``confidence`` ``[n]``, and ``labels`` ``[m, 4]``, in pixels."""
        order = np.argsort(-confidence, kind="stable")
        hit = np.zeros(len(order), bool)
        if len(labels) and len(order):
            overlap = iou_matrix(boxes[order], labels)
            for i, row in enumerate(overlap):
                best = int(row.argmax())
                if row[best] >= self.iou:
                    hit[i] = True
                    overlap[i + 1 :, best] = -1
        self._confidence.append(confidence[order])
        self._hit.append(hit)
        self.labels += len(labels)

    @property
    def average_precision(self) -> float:
        """In 0..1; nan when there was no label."""
        if not self.labels:
            return float("nan")
        confidence = np.concatenate(self._confidence)
        hit = np.concatenate(self._hit)[np.argsort(-confidence, kind="stable")]
        tp = np.cumsum(hit)
        recall = tp / self.labels
        precision = tp / np.arange(1, len(hit) + 1)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        index = np.searchsorted(recall, RECALL_POINTS)
        return float(np.append(envelope, 0.0)[np.minimum(index, len(hit))].mean())
