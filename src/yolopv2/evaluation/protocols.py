"""Protocols: what exactly a published number means. A number says nothing without one."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from yolopv2.errors import YolopError
from yolopv2.evaluation.detection import Rule

Geometry = Literal["frame", "letterbox", "canvas", "stretch"]

_ALL = ("iou", "miou", "precision", "recall", "balanced_accuracy", "pixel_accuracy")
_BOUNDARY = ("boundary_f1_1px", "boundary_f1_2px", "boundary_f1_5px")


@dataclass(frozen=True)
class Protocol:
    """How a network is scored.

    Attributes:
        name: What it is called.
        about: One sentence.
        source: Where it is defined.
        confidence: Least confidence of a box.
        nms_iou: Of two boxes that overlap by more the less confident is dropped.
        max_det: Most boxes of a frame.
        rule: How boxes are matched and average precision is read, see `yolopv2.evaluation.detection.match_boxes`.
        best: Where precision and recall are read: ``f1`` where their harmonic mean is largest, ``recall`` where recall
            is, which is all boxes together.
        classes: Classes that average precision is the mean over; any if None.
        size: Long side of the canvas it is defined for; any if None.
        geometry: Where masks are compared: ``frame``, the labels' own pixels; ``letterbox``, the canvas without its
            padding; ``canvas``, with it; ``stretch``, a square canvas onto which the frame is stretched.
        average: ``dataset``, one confusion matrix over all frames; ``batch``, the mean of the batches' scores, weighted
            by their frames; ``frame``, the mean of the frames' scores.
        batch: Frames of a batch.
        empty: Score of a mask where there is nothing to find and nothing found.
        exclusive: Whether a pixel is one of background, drivable area and lane marking, the marking first.
        drivable_threshold: Probability from which a pixel is drivable.
        lane_threshold: Probability from which a pixel is lane marking.
        lane_width: Width in pixels of the frame to which the labels' markings are widened; None leaves them.
        drivable: Scores of the drivable area it names.
        lanes: Scores of the lane markings it names.
        panoptic: Whether panoptic quality belongs to it.
        cannot: What it asks for that no network of this project gives, and why.

    Example:
        >>> protocol("yolopv2").nms_iou
        0.65
    """

    name: str
    about: str
    source: str
    confidence: float = 0.001
    nms_iou: float = 0.6
    max_det: int = 300
    rule: Rule = "yolop"
    best: Literal["f1", "recall"] = "recall"
    classes: tuple[str, ...] | None = None
    size: int | None = 640
    geometry: Geometry = "letterbox"
    average: Literal["dataset", "batch", "frame"] = "dataset"
    batch: int = 1
    empty: float = 1.0
    exclusive: bool = False
    drivable_threshold: float = 0.5
    lane_threshold: float = 0.5
    lane_width: int | None = None
    drivable: tuple[str, ...] = _ALL
    lanes: tuple[str, ...] = _ALL
    panoptic: bool = False
    cannot: Mapping[str, str] = field(default_factory=dict)


_YOLOP = Protocol(
    name="yolop",
    about="as YOLOP, YOLOPX and YOLOPv3 are scored",
    source="hustvl/YOLOP, arXiv 2108.11250",
    average="batch",
    batch=48,
    empty=0.0,
    drivable=("iou", "miou", "pixel_accuracy"),
    lanes=("iou", "miou", "recall"),
)

PROTOCOLS = {
    each.name: each
    for each in (
        Protocol(
            name="dataset",
            about="one count over the whole set at the labels' own resolution; depends on no batch and no canvas",
            source="this project; boxes as COCO",
            max_det=100,
            rule="coco",
            best="f1",
            size=None,
            geometry="frame",
            drivable=(*_ALL, *_BOUNDARY),
            lanes=(*_ALL, *_BOUNDARY),
            panoptic=True,
        ),
        _YOLOP,
        replace(
            _YOLOP,
            name="yolopv2",
            about="as YOLOPv2 is scored: yolop with other suppression and batches",
            source="CAIC-AD/YOLOPv2, arXiv 2208.11434",
            nms_iou=0.65,
            batch=32,
        ),
        Protocol(
            name="hybridnets",
            about="as HybridNets is scored: the mean of the frames, padding included",
            source="datvuthanh/HybridNets, arXiv 2203.09035",
            rule="hybridnets",
            geometry="canvas",
            average="frame",
            exclusive=True,
            drivable=("iou", "miou", "balanced_accuracy"),
            lanes=("iou", "miou", "balanced_accuracy"),
        ),
        Protocol(
            name="rmt-ppad-8px",
            about="as RMT-PPAD is scored: the frame stretched to a square, markings widened to 8 pixels",
            source="RMT-PPAD (2025)",
            rule="hybridnets",
            best="f1",
            geometry="stretch",
            average="frame",
            drivable_threshold=0.45,
            lane_threshold=0.9,
            lane_width=8,
            drivable=("iou", "miou", "balanced_accuracy"),
            lanes=("iou", "miou", "balanced_accuracy"),
        ),
        Protocol(
            name="bdd100k-official",
            about="as the BDD100K benchmark scores",
            source="bdd100k/bdd100k, arXiv 1805.04687",
            max_det=100,
            rule="coco",
            best="f1",
            size=None,
            geometry="frame",
            average="frame",
            classes=(
                "pedestrian",
                "rider",
                "car",
                "truck",
                "bus",
                "train",
                "motorcycle",
                "bicycle",
                "traffic light",
                "traffic sign",
            ),
            drivable=(),
            lanes=("f1_1px", "f1_2px", "f1_5px"),
            cannot={
                "drivable_direct_alternative_miou": "the network has one drivable class, not direct and alternative",
                "lane_category_f1": "the network has one lane class, not directions, styles and categories; "
                "lane_f1 below is of all markings together",
            },
        ),
    )
}


def protocol(name: str) -> Protocol:
    """The protocol of that name.

    Raises:
        YolopError: There is none; the message lists those there are.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    close = difflib.get_close_matches(name, PROTOCOLS, n=1)
    hint = f", perhaps {close[0]!r} is meant" if close else ""
    raise YolopError(f"no protocol is called {name!r}{hint}; there are: {', '.join(PROTOCOLS)}")
