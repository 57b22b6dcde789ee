import math

import numpy as np
import pytest

from yolopv2.evaluation.detection import BoxScore


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_perfect_detections() -> None:
    score = BoxScore()
    labels = boxes((0, 0, 10, 10), (20, 20, 40, 40))
    score.update(labels, np.array([0.3, 0.9], np.float32), labels)
    assert score.average_precision == pytest.approx(1.0)


def test_by_hand() -> None:
    """Hit at 0.9, false alarm at 0.8, hit at 0.7, one label missed: precision 1 up to recall 1/3, 2/3 up to 2/3."""
    score = BoxScore()
    labels = boxes((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10))
    found = boxes((0, 0, 10, 10), (60, 0, 70, 10), (20, 0, 30, 10))
    score.update(found, np.array([0.9, 0.8, 0.7], np.float32), labels)
    assert score.average_precision == pytest.approx((34 * 1 + 33 * 2 / 3) / 101)


def test_a_second_detection_of_the_same_object_is_a_false_alarm() -> None:
    score = BoxScore()
    label = boxes((0, 0, 10, 10))
    score.update(boxes((0, 0, 10, 9), (0, 0, 10, 10)), np.array([0.9, 0.8], np.float32), label)
    assert score.average_precision == pytest.approx(1.0)
    doubled = BoxScore()
    doubled.update(boxes((0, 0, 10, 9), (0, 0, 10, 10)), np.array([0.9, 0.8], np.float32), label)
    doubled.update(boxes(), np.zeros(0, np.float32), label)
    assert doubled.average_precision == pytest.approx(51 / 101)


def test_overlap_below_the_threshold_is_no_hit() -> None:
    for threshold, expected in ((0.5, 0.0), (0.3, 1.0)):
        score = BoxScore(threshold)
        score.update(boxes((0, 0, 10, 10)), np.ones(1, np.float32), boxes((0, 0, 10, 25)))
        assert score.average_precision == pytest.approx(expected)


def test_without_labels_there_is_no_score() -> None:
    score = BoxScore()
    score.update(boxes((0, 0, 1, 1)), np.ones(1, np.float32), boxes())
    assert math.isnan(score.average_precision)


def test_frames_without_detections_count() -> None:
    score = BoxScore()
    score.update(boxes(), np.zeros(0, np.float32), boxes((0, 0, 10, 10)))
    assert score.average_precision == 0.0
