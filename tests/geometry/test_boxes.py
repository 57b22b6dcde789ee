import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.geometry.boxes import (
    box_areas,
    clip_boxes,
    cxcywh_to_xyxy,
    intersection_matrix,
    iou_matrix,
    nms,
    xyxy_to_cxcywh,
)


@st.composite
def candidates(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes on a small integer grid, so that overlaps, duplicates, ties and empty boxes are frequent and exact."""
    corner, side = st.integers(0, 12), st.integers(0, 10)
    rows = draw(st.lists(st.tuples(corner, corner, side, side, st.integers(0, 20), st.integers(0, 2)), max_size=40))
    table = np.array(rows, np.float32).reshape(-1, 6)
    boxes = np.concatenate([table[:, :2], table[:, :2] + table[:, 2:4]], axis=1)
    return boxes, table[:, 4] / 20, table[:, 5].astype(np.int64)


def naive_iou(a: np.ndarray, b: np.ndarray) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return float(width * height / union) if union else 0.0


def naive_nms(boxes, scores, class_ids, threshold, limit) -> list[int]:
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        rivals = [k for k in kept if class_ids is None or class_ids[k] == class_ids[i]]
        if all(naive_iou(boxes[i], boxes[k]) <= threshold for k in rivals):
            kept.append(i)
    return kept[:limit]


@given(candidates(), candidates())
def test_iou_matrix_equals_a_naive_implementation(a, b):
    expected = np.array([[naive_iou(x, y) for y in b[0]] for x in a[0]], np.float32).reshape(len(a[0]), len(b[0]))
    np.testing.assert_allclose(iou_matrix(a[0], b[0]), expected, atol=1e-6)


@given(candidates(), st.sampled_from([0.0, 0.26, 0.47, 0.71, 1.0]), st.integers(0, 12), st.booleans())
def test_nms_equals_a_naive_implementation(found, threshold, limit, class_aware):
    boxes, scores, class_ids = found
    classes = class_ids if class_aware else None
    kept = nms(boxes, scores, classes, threshold, limit)
    assert kept.dtype == np.int64
    assert kept.tolist() == naive_nms(boxes, scores, classes, threshold, limit)


def test_nms_equals_a_naive_implementation_on_many_boxes():
    random = np.random.default_rng(3)
    corners = random.integers(0, 60, (900, 2))
    boxes = np.concatenate([corners, corners + random.integers(2, 30, (900, 2))], axis=1).astype(np.float32)
    scores = (random.integers(0, 50, 900) / 50).astype(np.float32)
    class_ids = random.integers(0, 3, 900)
    for classes in (None, class_ids):
        assert nms(boxes, scores, classes, 0.41, 10_000).tolist() == naive_nms(boxes, scores, classes, 0.41, 10_000)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.booleans())
def test_nms_finds_every_overlap_whatever_the_sizes_of_the_boxes(seed, threshold, class_aware):
    random = np.random.default_rng(seed)
    boxes = random.uniform(0, 40, (60, 4)) * 10 ** random.uniform(-3, 1, (60, 4))
    boxes[:, 2:] += boxes[:, :2]
    classes = random.integers(0, 3, 60) if class_aware else None
    scores = random.random(60)
    assert nms(boxes, scores, classes, threshold, 60).tolist() == naive_nms(boxes, scores, classes, threshold, 60)


@pytest.mark.parametrize("spread", [30.0, 1280.0])
@pytest.mark.parametrize("limit", [300, 100_000])
def test_nms_is_quick_at_every_anchor_of_a_frame(spread, limit):
    random = np.random.default_rng(0)
    corners = random.uniform(0, spread, (15_120, 2))
    boxes = np.concatenate([corners, corners + random.uniform(5, 60, (15_120, 2))], axis=1)
    began = time.process_time()
    nms(boxes, random.random(15_120), random.integers(0, 4, 15_120), 0.45, limit)
    assert time.process_time() - began < 1  # candidates against all that is kept takes several


@given(candidates())
def test_corners_and_centres_are_inverse(found):
    boxes = found[0]
    np.testing.assert_allclose(cxcywh_to_xyxy(xyxy_to_cxcywh(boxes)), boxes, atol=1e-5)


@given(candidates())
def test_clipped_boxes_lie_inside_and_lose_only_what_is_outside(found):
    clipped = clip_boxes(found[0] - 3, height=6, width=9)
    assert (clipped >= 0).all()
    assert (clipped <= [9, 6, 9, 6]).all()
    assert (box_areas(clipped) <= box_areas(found[0])).all()


def test_clipping_leaves_the_given_boxes_alone():
    boxes = np.array([[-5.0, -5.0, 50.0, 50.0]], np.float32)
    clip_boxes(boxes, 10, 20)
    assert boxes.tolist() == [[-5, -5, 50, 50]]


def test_nothing_in_nothing_out():
    empty = np.zeros((0, 4), np.float32)
    assert iou_matrix(empty, empty).shape == (0, 0)
    assert nms(empty, np.zeros(0), None, 0.5, 300).shape == (0,)


def test_overlaps_are_computed_in_the_precision_that_is_asked_for():
    a, b = np.array([[0, 0, 10, 10.0]]), np.array([[0, 0, 10, 7.0]])
    assert iou_matrix(a, b).dtype == np.float32
    assert iou_matrix(a, b, np.float64)[0, 0] == 0.7
    assert float(iou_matrix(a, b)[0, 0]) < 0.7  # which would miss that threshold
    assert intersection_matrix(a, b).tolist() == [[70]]
