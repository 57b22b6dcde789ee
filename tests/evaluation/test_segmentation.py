import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from yolopv2.evaluation.segmentation import TOLERANCES, MaskCounts, NearCounts

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))
PAIRS = SHAPES.flatmap(
    lambda shape: st.tuples(
        arrays.arrays(bool, shape), arrays.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 1, 0, 255]))
    )
)


@given(PAIRS)
def test_counts_equal_a_pixel_loop(pair: tuple[np.ndarray, np.ndarray]) -> None:
    pixels = [(bool(p), int(t)) for p, t in zip(pair[0].ravel(), pair[1].ravel(), strict=True)]
    counts = MaskCounts.of(*pair)
    expected = [sum(p == a and t == b for p, t in pixels) for a, b in ((1, 1), (1, 0), (0, 1), (0, 0), (1, 255))]
    assert [counts.tp, counts.fp, counts.fn, counts.tn, counts.ignored] == expected
    assert counts.pixels == sum(t != 255 for _, t in pixels)


def slow_boundary(mask: np.ndarray, known: np.ndarray) -> list[tuple[int, int]]:
    """Pixels of the mask with a neighbour (of four) that is none, none of them at or beside an unlabelled pixel."""
    height, width = mask.shape
    found = []
    for y in range(height):
        for x in range(width):
            cross = [(y, x), (y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
            inside = [(a, b) for a, b in cross if 0 <= a < height and 0 <= b < width]
            if mask[y, x] and not all(mask[p] for p in inside) and all(known[p] for p in inside):
                found.append((y, x))
    return found


def slow_f1(predicted: list[tuple[int, int]], labelled: list[tuple[int, int]], tolerance: int) -> float:
    def share(pixels: list[tuple[int, int]], others: list[tuple[int, int]]) -> float:
        near = [any((y - b) ** 2 + (x - a) ** 2 <= tolerance**2 for b, a in others) for y, x in pixels]
        return sum(near) / len(near)

    if not predicted or not labelled:
        return float(predicted == labelled)
    p, r = share(predicted, labelled), share(labelled, predicted)
    return 2 * p * r / (p + r) if p + r else 0.0


@given(PAIRS)
@settings(max_examples=300)
def test_boundary_f1_equals_a_pixel_loop(pair: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, label = pair
    boundaries = slow_boundary(predicted, label != 255), slow_boundary(label == 1, label != 255)
    scores = NearCounts.of_boundaries(predicted, label).f1()
    assert scores == {f"f1_{t}px": pytest.approx(slow_f1(*boundaries, t)) for t in TOLERANCES}


def test_scores_by_hand() -> None:
    scores = MaskCounts(tp=6, fp=2, fn=4, tn=88).scores()
    assert scores["iou"] == 6 / 12
    assert scores["background_iou"] == 88 / 94
    assert scores["miou"] == (6 / 12 + 88 / 94) / 2
    assert scores["precision"] == 6 / 8
    assert scores["recall"] == 6 / 10
    assert scores["balanced_accuracy"] == pytest.approx((6 / 10 + 88 / 90) / 2)
    assert scores["pixel_accuracy"] == 94 / 100


@pytest.mark.parametrize("empty", [0.0, 1.0])
def test_nothing_to_find_and_nothing_found(empty: float) -> None:
    scores = MaskCounts.of(np.zeros((2, 2), bool), np.zeros((2, 2), np.uint8)).scores(empty)
    assert scores["iou"] == scores["recall"] == scores["balanced_accuracy"] == empty
    assert scores["pixel_accuracy"] == 1
    assert MaskCounts(fp=9, tn=1).scores(empty)["balanced_accuracy"] == empty  # half of it has no meaning


def test_counts_of_frames_add_up_to_those_of_one_large_frame() -> None:
    rng = np.random.default_rng(0)
    frames = [(rng.random((8, 9)) > 0.4, rng.choice([0, 1, 255], (8, 9)).astype(np.uint8)) for _ in range(5)]
    whole = MaskCounts.of(*(np.concatenate(parts) for parts in zip(*frames, strict=True)))
    assert sum((MaskCounts.of(*frame) for frame in frames), MaskCounts()) == whole


def test_a_mask_that_is_off_by_two_pixels() -> None:
    label, predicted = np.zeros((20, 20), np.uint8), np.zeros((20, 20), bool)
    label[:, 8:] = 1
    predicted[:, 10:] = True
    assert NearCounts.of_boundaries(predicted, label).f1() == {"f1_1px": 0.0, "f1_2px": 1.0, "f1_5px": 1.0}
