"""The `dataset` protocol: every task scored over a whole data set, at the labels' own resolution."""

from collections.abc import Iterable

import numpy as np

from yolopv2.data.sample import Sample
from yolopv2.evaluation.detection import BoxScore
from yolopv2.evaluation.segmentation import MaskScore
from yolopv2.scene import Scene

CONFIDENCE, NMS_IOU = 0.001, 0.6
"""What scenes must be made with, so that average precision sees the whole curve."""


def score_scenes(pairs: Iterable[tuple[Scene, Sample]]) -> dict[str, float]:
    """Scores scenes against labels.

    One confusion matrix over all frames for each mask, so that the result depends on no batch; average precision at an
    IoU of 0.5, the mean over the classes that occur. A label that is missing from a frame leaves that frame out of its
    task.

    Args:
        pairs: What was seen in each frame, and its labels. One pair is held at a time.

    Returns:
        ``ap50``, ``drivable_iou``, ``drivable_miou``, ``lane_iou``, ``lane_recall``, each in 0..1, and ``frames``. A
        task nobody labelled is left out.

    Example:
        >>> from yolopv2.scene import Vehicles
        >>> blank = np.zeros((4, 4), np.uint8)
        >>> sample = Sample(np.zeros((4, 4, 3), np.uint8), drivable=blank)
        >>> scene = Scene(Vehicles.empty(), blank.astype(bool), None, {}, 4, 4)
        >>> score_scenes([(scene, sample)])["drivable_iou"]
        1.0
    """
    drivable, lanes, frames = MaskScore(), MaskScore(), 0
    boxes: dict[int, BoxScore] = {}
    for scene, sample in pairs:
        frames += 1
        if sample.drivable is not None and scene.drivable is not None:
            drivable.update(scene.drivable, sample.drivable)
        if sample.lanes is not None and scene.lanes is not None:
            lanes.update(scene.lanes, sample.lanes)
        if sample.boxes is not None and sample.class_ids is not None:
            vehicles = scene.vehicles
            for class_id in {*vehicles.class_id.tolist(), *sample.class_ids.tolist(), *boxes}:
                seen, labelled = vehicles.class_id == class_id, sample.class_ids == class_id
                score = boxes.setdefault(class_id, BoxScore())
                score.update(vehicles.xyxy[seen], vehicles.confidence[seen], sample.boxes[labelled])
    scores: dict[str, float] = {"frames": frames}
    precisions = [score.average_precision for score in boxes.values() if score.labels]
    if precisions:
        scores["ap50"] = float(np.mean(precisions))
    if drivable.pixels:
        scores |= {"drivable_iou": drivable.iou, "drivable_miou": drivable.miou}
    if lanes.pixels:
        scores |= {"lane_iou": lanes.iou, "lane_recall": lanes.recall}
    return scores
