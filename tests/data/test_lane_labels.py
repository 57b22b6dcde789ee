import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.data.lane_labels import Edge, centre_lines, lane_mask
from yolopv2.geometry.curves import draw_lines, resample

WHITE, CURB = ("lane", "single white"), ("lane", "road curb")
LINE = np.array([[600.0, 360.0], [500.0, 420.0], [200.0, 700.0]])
FAR = np.array([[600.0, 360.0], [620.0, 366.0]])


def beside(shift: float, line: np.ndarray = LINE) -> np.ndarray:
    return np.add(line, (shift, 0))


def pair(line: np.ndarray = LINE, width: float = 20, kind: tuple[str, ...] = WHITE) -> list[Edge]:
    """Two edges about a line, as far apart as a marking in perspective."""
    share = np.linspace(0.1, 1, len(line))[:, None]
    side = share * np.array([width / 2, 0])
    return [Edge(line - side, kind), Edge(line + side, kind)]


@given(st.floats(0, 2 * np.pi), st.floats(2, 40), st.integers(2, 9), st.integers(2, 9))
@settings(deadline=None)
def test_two_parallel_edges_give_the_middle(angle: float, gap: float, first: int, second: int) -> None:
    way = np.array([np.cos(angle), np.sin(angle)])
    middle = np.array([640, 360]) + np.outer(np.linspace(-100, 100, 9), way)
    across = gap / 2 * way[::-1] * (1, -1)
    edges = [Edge(resample(middle + across, first)), Edge(resample(middle - across, second))]
    (line,) = centre_lines(edges, 60)
    np.testing.assert_allclose(line, resample(middle, len(line)), atol=1e-9)


@given(st.permutations(range(6)), st.lists(st.booleans(), min_size=6, max_size=6))
@settings(deadline=None)
def test_order_and_direction_of_the_edges_do_not_matter(order: list[int], turned: list[bool]) -> None:
    edges = [*pair(), *pair(beside(500)), Edge(beside(250), WHITE), Edge(beside(5), CURB)]
    moved = [edges[i] for i in order]
    moved = [Edge(e.points[::-1], e.kind) if turn else e for e, turn in zip(moved, turned, strict=True)]
    np.testing.assert_array_equal(lane_mask(moved, 720, 1280, 8), lane_mask(edges, 720, 1280, 8))


def test_a_lone_edge_is_drawn_as_it_is() -> None:
    (line,) = centre_lines([Edge(LINE)], 60)
    assert line is LINE
    np.testing.assert_array_equal(lane_mask([Edge(LINE)], 720, 1280, 8), draw_lines([LINE], 720, 1280, 8))


@pytest.mark.parametrize(
    "edges",
    [
        [Edge(LINE, WHITE), Edge(beside(12), CURB)],  # of two kinds
        [Edge(LINE, WHITE), Edge(beside(250), WHITE)],  # of two lanes
        [Edge(FAR, WHITE), Edge(beside(50, FAR), WHITE)],  # of two lanes, far
        [Edge(LINE, paired=False), Edge(beside(12), paired=False)],  # of a crossing
    ],
)
def test_edges_of_two_markings_stay_two_lines(edges: list[Edge]) -> None:
    assert len(centre_lines(edges, 60)) == 2


def test_the_closest_edges_are_paired() -> None:
    lines = centre_lines([*pair(), *pair(beside(40), width=10)], 60)
    assert len(lines) == 2
    for line, shift in zip(lines, (0, 40), strict=True):
        np.testing.assert_allclose(line[[0, -1]], beside(shift)[[0, -1]], atol=1e-6)


def test_nothing_drawn_is_an_empty_mask() -> None:
    mask = lane_mask([], 72, 128, 8)
    assert mask.shape == (72, 128)
    assert mask.dtype == np.uint8
    assert not mask.any()


@pytest.mark.parametrize(("height", "line_width", "expected"), [(720, 8, 8), (720, 2, 2), (1440, 8, 16), (360, 2, 1)])
def test_the_width_goes_with_the_frames_height(height: int, line_width: float, expected: int) -> None:
    line = np.array([[100.0, 0], [100.0, height]])
    assert lane_mask([Edge(line)], height, 400, line_width)[height // 2].sum() == expected
