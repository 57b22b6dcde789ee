"""Boxes against faster-coco-eval, against a slow transcription of the papers' rule, and by hand."""

import contextlib
import io
import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.evaluation.curves import Detections, expected_error
from yolopv2.evaluation.detection import BANDS, IOU_THRESHOLDS, BoxMatches, match_boxes

Frame = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Boxes, confidences, classes; labels, their classes, whether they are crowds."""


def random_frames(rng: np.random.Generator, crowds: bool = True, classes: int = 2) -> list[Frame]:
    """Labels of all sizes, and detections that are shifted copies of them or anywhere."""
    frames = []
    for _ in range(int(rng.integers(1, 7))):
        labels = random_boxes(rng, int(rng.integers(0, 9)))
        copies = [labels + rng.normal(0, scale, labels.shape) for scale in (2, 6, 15)]
        boxes = np.concatenate([*copies, random_boxes(rng, int(rng.integers(0, 7)))]).round(int(rng.integers(0, 3)))
        boxes = boxes[(boxes[:, 2:] > boxes[:, :2]).all(1)]
        boxes = boxes[rng.random(len(boxes)) < rng.choice([0.3, 0.9])]
        confidence = rng.random(len(boxes)).astype(np.float32).astype(np.float64)
        frames.append(
            (
                boxes,
                confidence,
                rng.integers(0, classes, len(boxes)),
                labels,
                rng.integers(0, classes, len(labels)),
                (rng.random(len(labels)) < 0.2) & crowds,
            )
        )
    return frames


def random_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    corner = rng.uniform(0, 400, (count, 2))
    return np.concatenate([corner, corner + np.exp(rng.uniform(2, 5.3, (count, 2)))], axis=1).round(1)


def coco_scores(frames: list[Frame]) -> np.ndarray:
    """COCO's numbers: AP, AP50, AP75, and AP of small, medium, large; -1 where there is no label."""
    from faster_coco_eval import COCO, COCOeval_faster

    images = [{"id": i, "width": 600, "height": 600} for i in range(len(frames))]
    annotations, results = [], []
    for i, (boxes, confidence, classes, labels, label_classes, crowd) in enumerate(frames):
        for box, class_id, is_crowd in zip(labels, label_classes, crowd, strict=True):
            x, y, w, h = *box[:2], *(box[2:] - box[:2])
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i,
                    "category_id": int(class_id),
                    "bbox": [x, y, w, h],
                    "area": w * h,
                    "iscrowd": int(is_crowd),
                }
            )
        for box, score, class_id in zip(boxes, confidence, classes, strict=True):
            bbox = [*box[:2], *(box[2:] - box[:2])]
            results.append({"image_id": i, "category_id": int(class_id), "bbox": bbox, "score": float(score)})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO({"images": images, "annotations": annotations, "categories": [{"id": 0}, {"id": 1}]})
        judged = COCOeval_faster(truth, truth.loadRes(results), "bbox")
        judged.run()
    return np.array(judged.stats[:6])


@pytest.mark.parametrize("seed", range(60))
def test_equals_faster_coco_eval(seed: int) -> None:
    box, none = boxes((300, 300, 340, 350)), np.zeros(1, int)
    frames = [*random_frames(np.random.default_rng(seed)), (box + 1, np.full(1, 0.5), none, box, none, none > 0)]
    matches = [match_boxes(*frame[:5], crowd=frame[5]) for frame in frames]
    detections = Detections(matches, "coco")
    ours = [
        detections.mean_average_precision(),
        detections.average_precision(0),
        detections.average_precision(5),
        *(detections.mean_average_precision(band) for band in (1, 2, 3)),
    ]
    assert np.nan_to_num(ours, nan=-1) == pytest.approx(coco_scores(frames), abs=1e-6)


def test_only_the_hundred_most_confident_count_as_in_coco() -> None:
    rng = np.random.default_rng(3)
    boxes, labels = random_boxes(rng, 260), random_boxes(rng, 40)
    boxes[:40] = labels
    frame = (
        boxes,
        rng.random(260).astype(np.float32),
        np.zeros(260, int),
        labels,
        np.zeros(40, int),
        np.zeros(40, bool),
    )
    ours = Detections([match_boxes(*frame[:5])], "coco")
    assert ours.mean_average_precision() == pytest.approx(coco_scores([frame])[0], abs=1e-6)
    everything = Detections([match_boxes(*frame[:5], max_det=300)], "coco")
    assert everything.mean_average_precision() > ours.mean_average_precision()


def iou(a: np.ndarray, b: np.ndarray) -> float:
    w = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    h = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    return w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h)


@dataclass
class Paper:
    """The rule of YOLOP's table, written down slowly from its description."""

    ap: list[float]
    precision: float
    recall: float

    @classmethod
    def of(cls, frames: list[Frame], class_id: int, equal_is_enough: bool, end: float | None) -> "Paper | None":
        entries: list[tuple[float, list[bool]]] = []
        total = 0
        for boxes, confidence, classes, labels, label_classes, _ in frames:
            own = [label for label, of in zip(labels, label_classes, strict=True) if of == class_id]
            total += len(own)
            claimed: set[int] = set()
            for row in sorted(np.flatnonzero(classes == class_id), key=lambda row: -confidence[row]):
                hits = [False] * 10
                overlaps = [iou(boxes[row], label) for label in own]
                if overlaps:
                    best = overlaps.index(max(overlaps))
                    reach = [overlaps[best] > t or (equal_is_enough and overlaps[best] == t) for t in IOU_THRESHOLDS]
                    if reach[0] and best not in claimed:
                        claimed.add(best)
                        hits = reach
                entries.append((confidence[row], hits))
        if not total:
            return None
        entries.sort(key=lambda entry: -entry[0])
        if not entries:
            return cls([0.0] * 10, 0.0, 0.0)
        ap = []
        for k in range(10):
            recall, precision, seen = [0.0], [1.0], 0
            for count, (_, hits) in enumerate(entries, start=1):
                seen += hits[k]
                recall.append(seen / total)
                precision.append(seen / count)
            if k == 0:
                last = precision[-1], recall[-1]
            recall.append(recall[-1] + 0.01 if end is None else end)
            precision.append(0.0)
            for i in range(len(precision) - 2, -1, -1):
                precision[i] = max(precision[i], precision[i + 1])
            heights = np.interp(np.linspace(0, 1, 101), recall, precision)
            ap.append(sum((a + b) / 2 for a, b in itertools.pairwise(heights)) / 100)
        return cls(ap, *last)


@pytest.mark.parametrize(("rule", "equal", "end"), [("yolop", False, None), ("hybridnets", True, 1.0)])
@pytest.mark.parametrize("seed", range(40))
def test_equals_a_slow_transcription_of_the_papers_rule(rule, equal, end, seed) -> None:
    frames = random_frames(np.random.default_rng(1000 + seed), crowds=False)
    detections = Detections([match_boxes(*frame[:5], rule=rule, max_det=300) for frame in frames], rule)
    for class_id in (0, 1):
        expected = Paper.of(frames, class_id, equal, end)
        if expected is None:
            assert class_id not in detections.classes
            continue
        curves = [detections.curve(class_id, k) for k in range(10)]
        assert [curve.average_precision for curve in curves] == pytest.approx(expected.ap, abs=1e-12)
        assert curves[0].last() == pytest.approx((expected.precision, expected.recall))


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float64).reshape(-1, 4)


def one_class(found: np.ndarray, confidence: list[float], labels: np.ndarray, rule: str = "coco") -> BoxMatches:
    zeros = np.zeros(len(found), int), np.zeros(len(labels), int)
    return match_boxes(found, np.array(confidence), zeros[0], labels, zeros[1], rule)


def test_average_precision_by_hand() -> None:
    """Hit at 0.9, false alarm at 0.8, hit at 0.7, one label missed: precision 1 up to recall 1/3, 2/3 up to 2/3."""
    labels = boxes((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10))
    found = boxes((0, 0, 10, 10), (60, 0, 70, 10), (20, 0, 30, 10))
    curve = Detections([one_class(found, [0.9, 0.8, 0.7], labels)], "coco").curve(0)
    assert curve is not None
    assert curve.average_precision == pytest.approx((34 * 1 + 33 * 2 / 3) / 101)
    assert curve.best_f1() == pytest.approx((2 / 3, 2 / 3, 0.7))
    assert curve.at_recall()[0][[0, 33, 34, 66, 67]].tolist() == pytest.approx([1, 1, 2 / 3, 2 / 3, 0])


def test_without_labels_there_is_no_score() -> None:
    detections = Detections([one_class(boxes((0, 0, 1, 1)), [1.0], boxes())], "coco")
    assert detections.classes == []
    assert detections.curve(0) is None
    assert np.isnan(detections.average_precision())


def test_frames_without_detections_and_without_box_labels() -> None:
    frame = one_class(boxes(), [], boxes((0, 0, 10, 10)))
    assert Detections([frame, None], "coco").average_precision() == 0.0
    assert Detections([one_class(boxes(), [], boxes((0, 0, 10, 10)), "yolop")], "yolop").average_precision() == 0.0


def test_classes_do_not_answer_for_each_other() -> None:
    box = boxes((0, 0, 10, 10))
    wrong = match_boxes(box, np.array([0.9]), np.array([1]), box, np.array([0]))
    assert Detections([wrong], "coco").average_precision() == 0.0
    right = match_boxes(box, np.array([0.9]), np.array([1]), box, np.array([1]))
    assert Detections([wrong, right], "coco").average_precision() == pytest.approx((0 + 1 / 2) / 2)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_weights_are_repetitions_of_frames(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matches = [match_boxes(*frame[:5]) for frame in random_frames(rng, crowds=False)]
    times = rng.integers(0, 4, len(matches))
    repeated = Detections([m for m, count in zip(matches, times, strict=True) for _ in range(count)], "coco")
    weighted = Detections(matches, "coco").average_precision(weights=times)
    assert weighted == pytest.approx(repeated.average_precision(), abs=1e-12, nan_ok=True)


def test_distance_bands_go_by_height() -> None:
    at_720 = boxes((0, 0, 500, 29), (0, 0, 5, 31), (0, 0, 5, 91))
    names = [[band.name for band in BANDS if band.by_height and band.holds(box[None], 720)[0]] for box in at_720]
    assert names == [["far"], ["middle"], ["near"]]


def test_calibration_by_hand() -> None:
    """Of four detections at 0.75 two hit: the error is 0.25; what is below 0.1 does not hide it."""
    label = boxes((0, 0, 10, 10))
    far = boxes((50, 50, 60, 60))
    frames = [one_class(box, [0.75], label) for box in (label, label, far, far)]
    frames += [one_class(np.repeat(far, 50, axis=0), [0.01] * 50, boxes())]
    bins = Detections(frames, "coco").calibration()
    assert [entry["count"] for entry in bins] == [50, 0, 0, 0, 0, 0, 0, 4, 0, 0]
    assert bins[7]["hits"] == 0.5
    assert expected_error(bins) == pytest.approx(0.25)
    assert np.isnan(expected_error(bins[:1]))


def test_an_overlap_of_exactly_one_half_is_enough_for_all_but_yolop() -> None:
    half, label = boxes((0, 0, 10, 5)), boxes((0, 0, 10, 10))
    hits = {rule: int(one_class(half, [0.9], label, rule).hits[0, 0]) for rule in ("coco", "hybridnets", "yolop")}
    assert hits == {"coco": 1, "hybridnets": 1, "yolop": 0}
