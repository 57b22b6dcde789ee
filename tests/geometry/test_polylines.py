from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.geometry.polylines import lane_lines

BDD_LANES = Path(__file__).parents[3] / "shared" / "data" / "bdd100k" / "ll_seg_annotations" / "val"


def paint(*strokes: tuple[tuple[int, int], tuple[int, int]], thickness: int = 5, size=(720, 1280)) -> np.ndarray:
    mask = np.zeros(size, np.uint8)
    for start, end in strokes:
        cv2.line(mask, start, end, 1, thickness)
    return mask.astype(bool)


def distance(points: np.ndarray, start: tuple[int, int], end: tuple[int, int]) -> np.ndarray:
    """Distance of points from the straight line through two pixels."""
    a, b = np.array(start) + 0.5, np.array(end) + 0.5
    normal = np.array([a[1] - b[1], b[0] - a[0]]) / np.linalg.norm(b - a)
    return np.abs((points - a) @ normal)


@pytest.mark.parametrize("size", [(360, 640), (720, 1280), (2160, 3840)])
@pytest.mark.parametrize("thickness", [2, 5, 12])
def test_straight_lines_are_found_where_they_are(size, thickness):
    scale = size[1] / 1280
    ends = [((200, 700), (600, 380)), ((1100, 700), (680, 380)), ((640, 700), (640, 420))]
    scaled = [tuple((round(x * scale), round(y * scale)) for x, y in stroke) for stroke in ends]
    lines = lane_lines(paint(*scaled, thickness=thickness, size=size))
    assert len(lines) == 3
    for line, (start, end) in zip(lines, [scaled[0], scaled[2], scaled[1]], strict=True):
        assert (distance(line, start, end) < max(1.5, 1.5 * scale)).all()
        assert np.linalg.norm(line[0] - start) < 8 * max(1, scale) + thickness
        assert np.linalg.norm(line[-1] - end) < 8 * max(1, scale) + thickness
        assert len(line) <= 4


def test_a_curve_is_followed():
    y = np.arange(380, 700)
    x = 400 + 0.002 * (700 - y) ** 2
    mask = np.zeros((720, 1280), np.uint8)
    cv2.polylines(mask, [np.stack([x, y], axis=1).astype(np.int32)], False, 1, 6)
    (line,) = lane_lines(mask.astype(bool))
    np.testing.assert_allclose(400 + 0.002 * (700 - line[:, 1]) ** 2, line[:, 0], atol=4)


def test_dashes_of_one_line_become_one_line():
    dashes = [((300, 700), (375, 630)), ((460, 550), (505, 508)), ((550, 466), (580, 438))]
    other = ((1000, 700), (700, 400))
    left, right = lane_lines(paint(*dashes, other))
    assert (distance(left, (300, 700), (580, 438)) < 3).all()
    assert (distance(right, *other) < 2).all()


def test_the_two_edges_of_a_marking_become_one_line():
    (line,) = lane_lines(paint(((400, 700), (620, 400)), ((426, 700), (622, 400))))
    assert (distance(line, (413, 700), (621, 400)) < 3).all()


def test_what_lies_across_the_road_is_no_lane_line():
    assert lane_lines(paint(((200, 600), (1000, 600)), ((200, 640), (1000, 650)))) == []


def test_specks_are_no_lane_lines():
    random = np.random.default_rng(0)
    mask = random.random((720, 1280)) < 0.003
    for x, y in random.integers(0, 700, (20, 2)):
        mask[y : y + 8, x : x + 8] = True
    assert lane_lines(mask) == []


def test_ragged_edges_holes_and_specks_do_not_disturb_a_line():
    random = np.random.default_rng(0)
    mask = paint(((400, 700), (620, 400)), thickness=14)
    mask &= random.random(mask.shape) > 0.15
    mask |= random.random(mask.shape) < 0.002
    (line,) = lane_lines(mask)
    assert (distance(line, (400, 700), (620, 400)) < 3).all()
    assert np.linalg.norm(line[-1] - line[0]) > 340


@pytest.mark.parametrize("value", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (30, 40), (720, 1280)])
def test_empty_full_and_tiny_masks_are_taken(shape, value):
    for line in lane_lines(np.full(shape, value)):
        assert line.shape[1] == 2


@given(st.integers(1, 120), st.integers(1, 120), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_lines_lie_inside_the_frame_and_go_upwards(height, width, density, seed):
    noise = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    for line in lane_lines(cv2.blur(noise, (3, 9)) > density):
        assert line.dtype == np.float32
        assert len(line) >= 2
        assert (line >= 0).all()
        assert (line <= [width, height]).all()
        assert (np.diff(line[:, 1]) < 0).all()


@pytest.mark.skipif(not BDD_LANES.is_dir(), reason="needs the BDD100K lane masks in ../shared/data")
def test_lines_of_real_labels_lie_on_their_markings():
    on_marking, count = [], 0
    for path in sorted(BDD_LANES.glob("*.png"))[:20]:
        marked = (cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) == 255).astype(np.uint8)
        near = cv2.dilate(marked, np.ones((15, 15), np.uint8))
        lines = lane_lines(marked.astype(bool))
        count += len(lines)
        drawn = np.zeros_like(marked)
        cv2.polylines(drawn, [line.astype(np.int32) for line in lines], False, 1)
        on_marking.append(near[drawn > 0].mean() if lines else 1.0)
    assert 40 < count < 140
    assert np.mean(on_marking) > 0.97
