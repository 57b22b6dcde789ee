import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.evaluation.segmentation import MaskScore


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0, 1, 255])), min_size=1, max_size=50))
def test_equals_a_pixel_loop(pixels: list[tuple[bool, int]]) -> None:
    score = MaskScore()
    score.update(np.array([[p for p, _ in pixels]]), np.array([[t for _, t in pixels]], np.uint8))
    counts = [sum(p == a and t == b for p, t in pixels) for a, b in ((True, 1), (True, 0), (False, 1), (False, 0))]
    assert [score.tp, score.fp, score.fn, score.tn] == counts


def test_one_matrix_over_all_frames() -> None:
    score = MaskScore()
    score.update(np.ones((2, 2), bool), np.ones((2, 2), np.uint8))
    score.update(np.ones((2, 2), bool), np.zeros((2, 2), np.uint8))
    assert score.iou == 0.5  # not the mean of 1 and 0 per frame by chance: see below
    score.update(np.zeros((1, 2), bool), np.ones((1, 2), np.uint8))
    assert score.iou == pytest.approx(4 / 10)
    assert score.recall == pytest.approx(4 / 6)
    assert score.background_iou == 0
    assert score.miou == pytest.approx(0.2)


def test_nothing_to_find_and_nothing_found() -> None:
    score = MaskScore()
    score.update(np.zeros((2, 2), bool), np.full((2, 2), 255, np.uint8))
    assert score.iou == score.recall == 1.0
