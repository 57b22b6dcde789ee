"""From candidates to scenes: thresholds, suppression, and the way back to the frame's own pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError
from yolopv2.geometry.boxes import box_areas, clip_boxes, nms
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.masks import assemble_masks
from yolopv2.media import Frame
from yolopv2.scene import Scene, Vehicles


@dataclass(frozen=True)
class Thresholds:
    """What counts as seen.

    Attributes:
        conf: Least confidence of a vehicle, in 0 to 1.
        iou: Of two boxes that overlap by more than this the less confident is dropped, in 0 to 1.
        classes: Class ids to keep, or None for all.
        max_det: At most this many vehicles per frame, the most confident ones.
        agnostic: Whether boxes of different classes suppress each other.

    Raises:
        YolopError: A value is out of its range.
    """

    conf: float = 0.3
    iou: float = 0.45
    classes: tuple[int, ...] | None = None
    max_det: int = 300
    agnostic: bool = False

    def __post_init__(self) -> None:
        for name, value in (("conf", self.conf), ("iou", self.iou)):
            is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if not is_number or not 0 <= value <= 1:
                raise YolopError(f"{name} must be a number from 0 to 1, not {value!r}")
        whole_number("max_det", self.max_det)


def whole_number(name: str, value: object) -> int:
    """The value, if it is a whole number of at least 1.

    Raises:
        YolopError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise YolopError(f"{name} must be a whole number of at least 1, not {value!r}")
    return int(value)


def to_scene(
    candidates: Candidates,
    row: int,
    letterbox: Letterbox,
    thresholds: Thresholds,
    names: dict[int, str],
    frame: Frame,
) -> Scene:
    """What was seen in one frame of a batch.

    Args:
        candidates: What the runtime gave for the batch.
        row: Which canvas of the batch is the frame's.
        letterbox: Where the frame lies on it.
        thresholds: What counts as seen.
        names: Class names by class id.
        frame: The frame.

    Returns:
        The scene, in pixels of the frame.
    """
    parts = None
    if candidates.coefficients is not None and candidates.prototypes is not None:
        parts = candidates.coefficients[row], candidates.prototypes[row]
    return Scene(
        vehicles=to_vehicles(candidates.boxes[row], candidates.scores[row], letterbox, thresholds, parts),
        drivable=None if candidates.drivable is None else letterbox.mask_to_frame(candidates.drivable[row]),
        lanes=None if candidates.lanes is None else letterbox.mask_to_frame(candidates.lanes[row]),
        names=names,
        height=letterbox.frame_height,
        width=letterbox.frame_width,
        source=frame.source,
        index=frame.index,
        time=frame.time,
        image=frame.image,
    )


def to_vehicles(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    letterbox: Letterbox,
    thresholds: Thresholds,
    mask_parts: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
) -> Vehicles:
    """The vehicles among the candidates ``[A, 4]``, ``[A, C]`` of one canvas, in pixels of the frame.

    With ``mask_parts``, coefficients ``[A, K]`` and prototypes ``[K, h, w]``, they have instance masks.
    """
    likely = np.flatnonzero(scores.max(axis=1, initial=0) >= thresholds.conf)  # never true of NaN
    boxes, scores = boxes[likely], scores[likely]
    class_ids = scores.argmax(axis=1)
    confidence = scores[np.arange(len(scores)), class_ids]
    boxes = clip_boxes(letterbox.boxes_to_frame(boxes), letterbox.frame_height, letterbox.frame_width)
    # Without this, boxes that lie wholly in the padding or have swapped corners would count against max_det.
    wanted = box_areas(boxes) > 0
    if thresholds.classes is not None:
        wanted &= np.isin(class_ids, thresholds.classes)
    boxes, confidence, class_ids = boxes[wanted], confidence[wanted], class_ids[wanted]
    kept = nms(boxes, confidence, None if thresholds.agnostic else class_ids, thresholds.iou, thresholds.max_det)
    masks = None
    if mask_parts is not None:
        coefficients, prototypes = mask_parts
        masks = assemble_masks(boxes[kept], coefficients[likely[wanted][kept]], prototypes, letterbox)
    return Vehicles(boxes[kept], confidence[kept], class_ids[kept].astype(np.int64), masks)
