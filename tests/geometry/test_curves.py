import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.errors import YolopError
from yolopv2.geometry.curves import draw_lines, fill_polygons, flatten_curves, resample

POINT = st.tuples(st.floats(-500, 1500), st.floats(-500, 1500))
LINES = st.lists(POINT, min_size=2, max_size=8)


def de_casteljau(control: np.ndarray, t: float) -> np.ndarray:
    points = control
    while len(points) > 1:
        points = (1 - t) * points[:-1] + t * points[1:]
    return points[0]


@given(st.lists(POINT, min_size=4, max_size=4))
@settings(deadline=None)
def test_curves_follow_de_casteljau(control: list[tuple[float, float]]) -> None:
    flat = flatten_curves(control, "LCCC")
    expected = [de_casteljau(np.array(control), t) for t in np.linspace(0, 1, len(flat))]
    np.testing.assert_allclose(flat, expected, atol=1e-6)


def test_curves_stay_near_what_they_flatten() -> None:
    control = np.array([[0, 0], [0, 720], [1280, 720], [1280, 0]], float)
    flat = resample(flatten_curves(control, "LCCC"), 5000)
    for t in np.linspace(0, 1, 100):
        assert np.hypot(*(flat - de_casteljau(control, t)).T).min() < 1


def test_lines_and_curves_take_turns() -> None:
    square = [[0, 0], [4, 0], [4, 4], [0, 4]]
    assert flatten_curves(square, "LLLL", closed=True).tolist() == square
    assert flatten_curves([*square, [9, 9]], "LCCCL")[-1].tolist() == [9, 9]
    np.testing.assert_array_equal(flatten_curves(square, "LCCL"), flatten_curves(square, "LCCC"))


def test_a_curve_that_closes_a_line_ends_where_it_began() -> None:
    flat = flatten_curves([[0, 0], [9, 0], [9, 9], [0, 9]], "LLCC", closed=True)
    assert flat[-1].tolist() == [0, 0]
    np.testing.assert_array_equal(flat[1:], flatten_curves([[9, 0], [9, 9], [0, 9], [0, 0]], "LCCC"))


@pytest.mark.parametrize(
    ("vertices", "types"),
    [
        ([[0, 0]], "LL"), ([[0, 0], [1, 1]], "CL"), ([[0, 0], [1, 1]], "LC"), ([[0, 0]] * 3, "LCC"), ([], ""),
        ([[0, 0, 1]], "L"), ([[0, float("nan")]], "L"), ([[0, 0], [1, 1]], "LX"), (None, "L"), ([["a", "b"]], "L"),
        ([[0, 0]] * 3, "LCL"),
    ],
)  # fmt: skip
def test_what_is_no_line_is_refused(vertices: object, types: str) -> None:
    with pytest.raises(YolopError):
        flatten_curves(vertices, types)  # type: ignore[arg-type]


@given(LINES, st.integers(2, 40))
@settings(deadline=None)
def test_resampling_keeps_the_ends_and_the_line(line: list[tuple[float, float]], count: int) -> None:
    points = resample(line, count)
    np.testing.assert_allclose(points[[0, -1]], np.array(line)[[0, -1]], atol=1e-9)
    np.testing.assert_allclose(points[::-1], resample(line[::-1], count), atol=1e-6)


@given(st.floats(0, np.pi), st.floats(1.5, 12), st.floats(-1, 1), st.floats(-1, 1))
@settings(deadline=None)
def test_a_line_is_as_wide_as_asked(angle: float, thickness: float, dx: float, dy: float) -> None:
    centre, way = np.array([60 + dx, 60 + dy]), np.array([np.cos(angle), np.sin(angle)])
    mask = draw_lines([[centre - 40 * way, centre + 40 * way]], 120, 120, thickness)
    width = (np.count_nonzero(mask) - np.pi * thickness**2 / 4) / 80
    assert abs(width - thickness) < 1.25  # a pixel is all in or all out
    y, x = np.nonzero(mask)
    aside = (x.mean() + 0.5 - centre[0]) * way[1] - (y.mean() + 0.5 - centre[1]) * way[0]
    assert abs(aside) < 0.6


@given(st.lists(LINES, max_size=4))
@settings(deadline=None)
def test_lines_far_outside_harm_nothing(lines: list[list[tuple[float, float]]]) -> None:
    far = [np.array(line) * 1e9 for line in lines]
    assert draw_lines(far, 20, 30, 3).shape == fill_polygons(far, 20, 30).shape == (20, 30)


@given(st.tuples(*[st.floats(-10, 40)] * 4))
@settings(deadline=None)
def test_rectangles_are_filled_to_within_half_a_pixel(sides: tuple[float, ...]) -> None:
    x1, x2 = sorted(sides[:2])
    y1, y2 = sorted(sides[2:])
    mask = fill_polygons([[[x1, y1], [x2, y1], [x2, y2], [x1, y2]]], 30, 30)
    x, y = np.arange(30) + 0.5, (np.arange(30) + 0.5)[:, None]
    assert not (mask & ((x < x1 - 0.5) | (x > x2 + 0.5) | (y < y1 - 0.5) | (y > y2 + 0.5))).any()
    assert mask[((x > x1 + 0.5) & (x < x2 - 0.5) & (y > y1 + 0.5) & (y < y2 - 0.5))].all()


def test_overlapping_polygons_are_united() -> None:
    square = np.array([[2, 2], [8, 2], [8, 8], [2, 8]])
    assert fill_polygons([square, square + 3], 20, 20).sum() == 36 + 36 - 9
