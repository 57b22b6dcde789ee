"""Scores of masks: counts of pixels, and of boundary pixels, that add up over frames and processes."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import cache
from operator import add

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data.sample import IGNORE

TOLERANCES = (1, 2, 5)
"""Pixels by which a boundary may be off and still count."""

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


@dataclass(frozen=True)
class MaskCounts:
    """Pixels of one class against everything else; counts add up.

    Attributes:
        tp: Marked in both.
        fp: Predicted, not labelled.
        fn: Labelled, not predicted.
        tn: Neither.
        ignored: Predicted where nobody labelled: no part of any score but the panoptic quality.

    Example:
        >>> counts = MaskCounts.of(np.array([[True, True]]), np.array([[1, 0]], np.uint8))
        >>> counts.scores()["iou"], counts.scores()["recall"], (counts + counts).pixels
        (0.5, 1.0, 4)
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0
    ignored: int = 0

    @classmethod
    def of(cls, predicted: NDArray[np.bool_], label: NDArray[np.uint8]) -> "MaskCounts":
        """Counts of one frame.

        Args:
            predicted: bool ``[H, W]``.
            label: uint8 ``[H, W]`` of 0, 1 or 255 = not labelled.
        """
        known = label != IGNORE
        truth = label == 1
        tp = int(np.count_nonzero(predicted & truth))
        positive = int(np.count_nonzero(predicted & known))
        fp, fn = positive - tp, int(np.count_nonzero(truth)) - tp
        tn = int(np.count_nonzero(known)) - tp - fp - fn
        return cls(tp, fp, fn, tn, int(np.count_nonzero(predicted)) - positive)

    def numbers(self) -> list[int]:
        """The counts as a flat list, in the order of the attributes."""
        return list(astuple(self))

    @classmethod
    def from_numbers(cls, numbers: Sequence[int]) -> "MaskCounts":
        """The inverse of `numbers`."""
        return cls(*map(int, numbers))

    def __add__(self, other: "MaskCounts") -> "MaskCounts":
        return MaskCounts(*map(add, self.numbers(), other.numbers()))

    @property
    def pixels(self) -> int:
        """How many labelled pixels were seen."""
        return self.tp + self.fp + self.fn + self.tn

    def scores(self, empty: float = 1.0) -> dict[str, float]:
        """The scores by name, each in 0..1.

        Three different things are called accuracy in this field's tables; here each has its own name: ``recall`` is
        TP / (TP + FN), ``balanced_accuracy`` the mean of that and of TN / (TN + FP), ``pixel_accuracy`` the share of
        right pixels. ``iou`` is TP / (TP + FP + FN), ``miou`` its mean with the background's.

        Args:
            empty: The value of a ratio of nothing to nothing, and of a balanced accuracy that has such a part.
        """

        def ratio(part: int, whole: int) -> float:
            return part / whole if whole else empty

        iou = ratio(self.tp, self.tp + self.fp + self.fn)
        background = ratio(self.tn, self.tn + self.fp + self.fn)
        has_both = self.tp + self.fn > 0 and self.tn + self.fp > 0
        recall, specificity = ratio(self.tp, self.tp + self.fn), ratio(self.tn, self.tn + self.fp)
        return {
            "iou": iou,
            "background_iou": background,
            "miou": (iou + background) / 2,
            "precision": ratio(self.tp, self.tp + self.fp),
            "recall": recall,
            "balanced_accuracy": (recall + specificity) / 2 if has_both else empty,
            "pixel_accuracy": ratio(self.tp + self.tn, self.pixels),
        }


@dataclass(frozen=True)
class NearCounts:
    """Pixels of two thin sets that have one of the other set nearby; counts add up.

    Attributes:
        predicted: How many were predicted.
        labelled: How many were labelled.
        predicted_near: Of the predicted, those with a labelled one within each of `TOLERANCES`.
        labelled_near: Of the labelled, those with a predicted one within each of `TOLERANCES`.
    """

    predicted: int = 0
    labelled: int = 0
    predicted_near: tuple[int, ...] = (0,) * len(TOLERANCES)
    labelled_near: tuple[int, ...] = (0,) * len(TOLERANCES)

    @classmethod
    def of_boundaries(cls, predicted: NDArray[np.bool_], label: NDArray[np.uint8]) -> "NearCounts":
        """Counts of the boundaries of two masks: pixels of a mask with a neighbour (of four) that is none.

        The frame's border is no boundary, and pixels at or beside unlabelled ones take no part.

        Args:
            predicted: bool ``[H, W]``.
            label: uint8 ``[H, W]`` of 0, 1 or 255 = not labelled.
        """
        known = label != IGNORE
        if not known.all():
            known = _eroded(known)
        return cls.of(_boundary(predicted) & known, _boundary(label == 1) & known)

    @classmethod
    def of(cls, predicted: NDArray[np.bool_], labelled: NDArray[np.bool_]) -> "NearCounts":
        """Counts of two sets of pixels, bool ``[H, W]`` each."""
        return cls(
            int(np.count_nonzero(predicted)),
            int(np.count_nonzero(labelled)),
            _near(predicted, labelled),
            _near(labelled, predicted),
        )

    def numbers(self) -> list[int]:
        """The counts as a flat list, in the order of the attributes."""
        return [self.predicted, self.labelled, *self.predicted_near, *self.labelled_near]

    @classmethod
    def from_numbers(cls, numbers: Sequence[int]) -> "NearCounts":
        """The inverse of `numbers`."""
        predicted, labelled, *near = map(int, numbers)
        count = len(TOLERANCES)
        if len(near) != 2 * count:
            raise ValueError(f"{len(numbers)} numbers are no counts of {count} tolerances")
        return cls(predicted, labelled, tuple(near[:count]), tuple(near[count:]))

    def __add__(self, other: "NearCounts") -> "NearCounts":
        return NearCounts.from_numbers(list(map(add, self.numbers(), other.numbers())))

    def f1(self) -> dict[str, float]:
        """F1 at each tolerance, as ``f1_1px``: 2PR / (P + R), with P the share of the predicted pixels that are near a
        labelled one and R the reverse; 1 when there is nothing on either side, 0 when on one side only."""
        return {
            f"f1_{tolerance}px": self._f1(p, r)
            for tolerance, p, r in zip(TOLERANCES, self.predicted_near, self.labelled_near, strict=True)
        }

    def _f1(self, predicted_near: int, labelled_near: int) -> float:
        if not self.predicted or not self.labelled:
            return float(self.predicted == self.labelled)
        precision, recall = predicted_near / self.predicted, labelled_near / self.labelled
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _eroded(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without the pixels that have one beside them (of four) that is not set; outside the frame all are."""
    return cv2.erode(mask.view(np.uint8), _CROSS, borderType=cv2.BORDER_CONSTANT, borderValue=1).view(np.bool_)


def _boundary(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return mask & ~_eroded(mask)


def _near(pixels: NDArray[np.bool_], others: NDArray[np.bool_]) -> tuple[int, ...]:
    """How many pixels have one of the others within each tolerance."""
    if not pixels.any() or not others.any():
        return (0,) * len(TOLERANCES)
    reached = (cv2.dilate(others.view(np.uint8), _disk(tolerance)) for tolerance in TOLERANCES)
    return tuple(int(np.count_nonzero(pixels & reach.view(np.bool_))) for reach in reached)


@cache
def _disk(radius: int) -> NDArray[np.uint8]:
    """All pixels within a distance of the middle one."""
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return (x**2 + y**2 <= radius**2).astype(np.uint8)
