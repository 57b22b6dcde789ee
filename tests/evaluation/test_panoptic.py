"""Panoptic quality against the paper's definition written down slowly, and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.data.sample import Sample
from yolopv2.evaluation.panoptic import (
    VOID,
    SegmentMatches,
    box_segments,
    label_map,
    match_segments,
    match_stuff,
    mean_quality,
    pair_boxes,
)
from yolopv2.evaluation.segmentation import MaskCounts

CAR, BUS, ROAD = 0, 1, 2


def slow_matches(
    predicted: np.ndarray,
    of_predicted: dict[int, int],
    labelled: np.ndarray,
    of_labels: dict[int, int],
    crowds: set[int],
) -> dict[int, tuple[list[float], int, int]]:
    """Section 4 of arXiv 1801.00868 on sets of pixels: matching, void labels and group labels."""
    pixels = [(y, x) for y in range(predicted.shape[0]) for x in range(predicted.shape[1])]
    void = {p for p in pixels if labelled[p] == VOID}
    seen = {i: {p for p in pixels if predicted[p] == i} for i in of_predicted}
    known = {i: {p for p in pixels if labelled[p] == i} for i in of_labels}
    result: dict[int, tuple[list[float], int, int]] = {}
    for category in {*of_predicted.values(), *of_labels.values()}:
        mine = {i: s for i, s in seen.items() if of_predicted[i] == category and s}
        truth = {i: s for i, s in known.items() if of_labels[i] == category and s}
        groups: set[tuple[int, int]] = set().union(*(s for i, s in truth.items() if i in crowds))
        truth = {i: s for i, s in truth.items() if i not in crowds}
        pairs = {}
        for i, a in mine.items():
            for j, b in truth.items():
                overlap = len((a - void) & b) / len((a - void) | b)
                if overlap > 0.5:
                    assert i not in pairs, "the paper proves that no segment matches twice"
                    pairs[i] = (j, overlap)
        fp = sum(1 for i, a in mine.items() if i not in pairs and len(a & (void | groups)) / len(a) <= 0.5)
        fn = len(truth) - len(pairs)
        result[category] = ([overlap for _, overlap in pairs.values()], fp, fn)
    return result


def random_map(rng: np.random.Generator, size: int, segments: int) -> np.ndarray:
    """Rectangles over each other; thus segments of every size, some hidden."""
    ids = np.zeros((size, size), np.int64)
    for i in range(1, segments + 1):
        y, x = rng.integers(0, size, 2)
        h, w = rng.integers(1, size + 1, 2)
        ids[y : y + h, x : x + w] = i
    return ids


@pytest.mark.parametrize("seed", range(20))
def test_equals_the_definition_on_thousands_of_random_maps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    total: dict[int, SegmentMatches] = {}
    slow: dict[int, tuple[list[float], int, int]] = {}
    for _ in range(150):
        size, count = int(rng.integers(2, 8)), int(rng.integers(0, 6))
        labelled = random_map(rng, size, count)
        predicted = labelled.copy() if rng.random() < 0.6 else random_map(rng, size, int(rng.integers(0, 6)))
        noise = rng.random((size, size)) < 0.25
        predicted[noise] = rng.integers(0, 6, int(noise.sum()))
        labelled[rng.random((size, size)) < rng.choice([0, 0.2, 0.5])] = VOID
        of_labels = {i: int(rng.integers(0, 3)) for i in range(1, 7)}
        of_predicted = of_labels if rng.random() < 0.5 else {i: int(rng.integers(0, 3)) for i in range(1, 7)}
        crowds = {i for i in of_labels if rng.random() < 0.15}
        ours = match_segments(predicted, of_predicted, labelled, of_labels, frozenset(crowds))
        expected = slow_matches(predicted, of_predicted, labelled, of_labels, crowds)
        for category in (0, 1, 2):
            mine, theirs = ours.get(category, SegmentMatches()), expected.get(category, ([], 0, 0))
            assert sorted(mine.ious) == pytest.approx(sorted(theirs[0]))
            assert (mine.fp, mine.fn) == theirs[1:]
            total[category] = total.get(category, SegmentMatches()) + mine
            ious, fp, fn = slow.get(category, ([], 0, 0))
            slow[category] = (ious + theirs[0], fp + theirs[1], fn + theirs[2])
    expected_pq = [sum(ious) / (len(ious) + fp / 2 + fn / 2) for ious, fp, fn in slow.values()]
    quality = mean_quality(total.values())
    assert quality is not None
    assert quality["pq"] == pytest.approx(sum(expected_pq) / 3)
    assert all(
        each.quality()["pq"] == pytest.approx(each.quality()["sq"] * each.quality()["rq"]) for each in total.values()
    )


def test_by_hand() -> None:
    """Ten pixels in a row: a car of 4 seen as 3 (IoU 3/4), a missed bus, road of 3 seen as 4 (IoU 3/4)."""
    labelled = np.array([[1, 1, 1, 1, 2, 2, 3, 3, 3, 0]])
    predicted = np.array([[1, 1, 1, 0, 0, 0, 3, 3, 3, 3]])
    matches = match_segments(predicted, {1: CAR, 3: ROAD}, labelled, {1: CAR, 2: BUS, 3: ROAD})
    assert matches == {CAR: SegmentMatches((0.75,)), ROAD: SegmentMatches((0.75,)), BUS: SegmentMatches(fn=1)}
    assert mean_quality(matches.values()) == pytest.approx({"pq": 0.5, "sq": 0.5, "rq": 2 / 3})


def test_half_an_overlap_is_no_match() -> None:
    matches = match_segments(np.array([[1, 1, 0]]), {1: CAR}, np.array([[0, 1, 0]]), {1: CAR})
    assert matches == {CAR: SegmentMatches(fp=1, fn=1)}


def test_void_is_left_out_of_the_union_and_excuses_what_lies_on_it() -> None:
    labelled = np.array([[1, 1, VOID, VOID, VOID, VOID]])
    assert match_segments(np.array([[1, 1, 1, 1, 1, 0]]), {1: CAR}, labelled, {1: CAR}) == {CAR: SegmentMatches((1.0,))}
    on_void = match_segments(np.array([[0, 2, 2, 2, 0, 0]]), {2: BUS}, labelled, {1: CAR})
    assert on_void == {CAR: SegmentMatches(fn=1)}
    half = match_segments(np.array([[2, 2, 2, 2, 0, 0]]), {2: BUS}, labelled, {1: CAR})
    assert half == {CAR: SegmentMatches(fn=1), BUS: SegmentMatches(fp=1)}


def test_a_crowd_is_never_missed_and_excuses_its_own_category_only() -> None:
    labelled = np.array([[1, 1, 1, 1, 0]])
    crowd = frozenset({1})
    assert match_segments(np.array([[0, 5, 5, 5, 0]]), {5: CAR}, labelled, {1: CAR}, crowd) == {}
    other = match_segments(np.array([[0, 5, 5, 5, 0]]), {5: BUS}, labelled, {1: CAR}, crowd)
    assert other == {BUS: SegmentMatches(fp=1)}


def test_nothing_to_see_has_no_quality() -> None:
    assert mean_quality([]) is None
    assert mean_quality([SegmentMatches()]) is None
    assert mean_quality([SegmentMatches(fp=1)]) == {"pq": 0.0, "sq": 0.0, "rq": 0.0}


@given(st.lists(st.lists(st.floats(0.5, 1), max_size=5), min_size=1, max_size=8), st.randoms())
def test_the_order_of_frames_changes_no_digit(ious: list[list[float]], random) -> None:
    frames = [SegmentMatches(tuple(each), fp=1) for each in ious]
    shuffled = random.sample(frames, len(frames))
    assert sum(frames, SegmentMatches()).quality() == sum(shuffled, SegmentMatches()).quality()


def test_the_label_map_puts_vehicles_over_lanes_over_drivable() -> None:
    drivable = np.array([[1, 1, 1, 255, 255, 255, 0]], np.uint8)
    lanes = np.array([[0, 1, 1, 1, 0, 0, 255]], np.uint8)
    masks = np.array([[[0, 0, 1, 0, 0, 1, 0]]], bool)
    sample = Sample(np.zeros((1, 7, 3), np.uint8), None, np.array([1]), drivable, lanes, masks)
    ids, of_ids = label_map(sample, {0: "car", 1: "bus"})
    assert ids.tolist() == [[2, 3, 1, 3, VOID, 1, VOID]]
    assert of_ids == {1: 1, 2: 2, 3: 3}


def test_boxes_in_pairs_the_closest_first() -> None:
    labels = np.array([[0, 0, 10, 10], [100, 0, 110, 10.0]])
    found = np.array([[0, 0, 10, 9], [0, 0, 10, 10], [50, 50, 60, 60.0]])
    matches = box_segments(
        pair_boxes(found, np.zeros(3, int), labels, np.zeros(2, int)), np.zeros(3, int), np.zeros(2, int)
    )
    assert matches == {0: SegmentMatches((1.0,), fp=2, fn=1)}


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (MaskCounts(), SegmentMatches()),
        (MaskCounts(tp=6, fp=2, fn=2), SegmentMatches((0.6,))),
        (MaskCounts(tp=5, fp=2, fn=3), SegmentMatches(fp=1, fn=1)),
        (MaskCounts(fn=3), SegmentMatches(fn=1)),
        (MaskCounts(fp=3), SegmentMatches(fp=1)),
        (MaskCounts(fp=3, ignored=4), SegmentMatches()),
    ],
)
def test_a_mask_is_one_segment(counts: MaskCounts, expected: SegmentMatches) -> None:
    assert match_stuff(counts) == expected
