"""What scores are called on a page, and what they mean."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """How a score is named for people.

    Attributes:
        task: ``vehicles``, ``drivable``, ``lanes`` or ``panoptic``.
        label: Its name.
        meaning: What it measures, in half a sentence.
    """

    task: str
    label: str
    meaning: str


_BOX = {
    "ap": ("average precision", "area under precision over recall"),
    "ap50": ("AP50", "area under precision over recall; a box is right at IoU 0.5"),
    "ap75": ("AP75", "the same, a box is right at IoU 0.75"),
    "ap50_95": ("AP50-95", "the mean over the thresholds 0.5, 0.55 to 0.95"),
    "precision_at_max_f1": ("precision", "share of right boxes, where F1 is largest"),
    "recall_at_max_f1": ("recall", "share of vehicles found, where F1 is largest"),
    "precision_at_max_recall": ("precision of all boxes", "share of right boxes, of all there are"),
    "recall_at_max_recall": ("recall of all boxes", "share of vehicles found by any box"),
    "recall_of_all": ("recall of all boxes", "share of vehicles found by any box"),
    "confidence_at_max_f1": ("confidence there", "least confidence where F1 is largest"),
    "recall": ("recall", "share of vehicles found by any box"),
    "labels": ("labels", "how many there are"),
    "ece": ("ECE", "expected calibration error: mean distance of confidence and share of right boxes"),
}
_MASK = {
    "iou": ("IoU", "overlap of what is seen and what is labelled"),
    "miou": ("mIoU", "the mean of IoU and the background's IoU"),
    "precision": ("precision", "share of right pixels in what is seen"),
    "recall": ("recall", "share of labelled pixels that are seen; some tables call it accuracy"),
    "balanced_accuracy": ("balanced accuracy", "mean of the recalls of class and background; some call it accuracy"),
    "pixel_accuracy": ("pixel accuracy", "share of right pixels, background included"),
    **{f"boundary_f1_{t}px": (f"boundary F1, {t} px", f"edges that lie within {t} pixels") for t in (1, 2, 5)},
    **{f"f1_{t}px": (f"F1, {t} px", f"marked pixels that lie within {t} pixels") for t in (1, 2, 5)},
}
_QUALITY = {
    "pq": ("PQ", "panoptic quality: segments found, and how well they overlap (IoU above 0.5 counts as found)"),
    "sq": ("SQ", "mean overlap of the segments found"),
    "rq": ("RQ", "F1 of finding segments"),
}
_KIND = {"box_": "boxes, ", "stuff_": "areas, ", "": ""}

WORDS: dict[str, Word] = {
    **{name: Word("vehicles", *words) for name, words in _BOX.items()},
    **{f"drivable_{name}": Word("drivable", *words) for name, words in _MASK.items()},
    **{f"lane_{name}": Word("lanes", *words) for name, words in _MASK.items()},
    **{
        kind + name: Word("panoptic", text + label, meaning)
        for kind, text in _KIND.items()
        for name, (label, meaning) in _QUALITY.items()
    },
    "mask_iou": Word("panoptic", "mask IoU", "mean overlap of the instance masks of vehicles whose boxes match"),
}
"""By the score's name in the JSON."""

TASKS = {"vehicles": "Vehicles", "drivable": "Drivable area", "lanes": "Lane markings", "panoptic": "Panoptic"}
"""Titles."""


def word(name: str) -> Word:
    """How a score is named; one that is not known keeps its own name."""
    return WORDS.get(name, Word("panoptic" if name.startswith(("pq", "sq", "rq")) else "", name.replace("_", " "), ""))


def full_label(name: str) -> str:
    """A score's name with its task's, or a task's title.

    Example:
        >>> full_label("lane_iou")
        'Lane markings, IoU'
    """
    if name in TASKS:
        return TASKS[name]
    found = word(name)
    return f"{TASKS[found.task]}, {found.label}" if found.task in TASKS else found.label
