import base64

import cv2
import numpy as np

from yolopv2.evaluation.evaluate import evaluate
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.report.gallery import MOST_FRAMES, picture_frames, worst_frames
from yolopv2.evaluation.segmentation import MaskCounts


def masks(*ious: float) -> list[FrameRecord]:
    return [
        FrameRecord(i, f"f{i}", lanes=MaskCounts(tp=round(1000 * iou), fn=1000 - round(1000 * iou), tn=9))
        for i, iou in enumerate(ious)
    ]


def test_the_lowest_iou_is_the_worst_and_faultless_frames_are_not_shown() -> None:
    worst = worst_frames(masks(0.5, 0.1, 1.0, 0.9, 0.3, 0.2, 0.8, 0.7))["lanes"]
    assert [frame.id for frame in worst] == ["f1", "f5", "f4", "f0"][:MOST_FRAMES]
    assert worst[0].words == "IoU 0.100; 900 pixels missed, 0 wrong"
    assert worst_frames(masks(1.0)) == {}
    assert worst_frames([]) == {}


def test_boxes_are_judged_as_prediction_shows_them(painted, listed, street) -> None:
    """One box sure (0.9) and right at the first label, one below 0.3 is not shown, the second label is missed."""
    predictor = painted(boxes=[(16, 8, 32, 24), (0, 0, 9, 9)])
    measured = evaluate(predictor, listed([street(0)]))
    (worst,) = worst_frames(measured.frames)["vehicles"]
    assert worst.words == "1 of 2 vehicles missed, 1 boxes wrong"


def test_pictures_show_labels_and_predictions_and_are_small(painted, listed, street) -> None:
    samples = [street(seed, height=720, width=1280) for seed in range(6)]
    dataset, predictor = listed(samples), painted()
    measured = evaluate(predictor, dataset)
    steps = []
    groups = picture_frames(measured, predictor, dataset, lambda: steps.append(1))
    assert [group.task for group in groups] == ["vehicles", "drivable", "lanes"]
    assert len(steps) == sum(len(group.frames) for group in groups) == 3 * MOST_FRAMES
    for picture in (picture for group in groups for picture in group.frames):
        for uri in (picture.labelled, picture.seen):
            kind, _, content = uri.partition(",")
            assert kind == "data:image/jpeg;base64"
            decoded = cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), cv2.IMREAD_COLOR)
            assert decoded.shape == (picture.height, picture.width, 3)
            assert picture.width <= 560
        assert picture.labelled != picture.seen


def test_frames_that_are_gone_are_left_out(painted, listed, street) -> None:
    dataset, predictor = listed([street(0), street(1)]), painted()
    measured = evaluate(predictor, dataset)
    gone = listed(["gone", street(1)])
    groups = picture_frames(measured, predictor, gone)
    assert {picture.id for group in groups for picture in group.frames} == {"val/001"}


def test_boxes_without_a_partner_are_orange(painted, listed, street) -> None:
    """The first label is found, the second is missed; nothing that is seen is wrong."""
    sample = street(0)
    sample.image[:] = 0
    dataset, predictor = listed([sample]), painted()
    groups = picture_frames(evaluate(predictor, dataset), predictor, dataset)
    (picture,) = next(group.frames for group in groups if group.task == "vehicles")

    def orange(uri: str) -> np.ndarray:
        encoded = np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8)
        bgr = cv2.imdecode(encoded, cv2.IMREAD_COLOR).astype(int)
        return (bgr[..., 2] > bgr[..., 0] + 80).nonzero()[1]

    columns = orange(picture.labelled)
    assert len(columns)
    assert columns.min() >= 38  # the second label is from 40 to 60
    assert not len(orange(picture.seen))
