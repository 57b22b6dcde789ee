from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.errors import YolopError
from yolopv2.evaluation.compare import compare_evaluations
from yolopv2.evaluation.detection import match_boxes
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.result import Evaluation
from yolopv2.evaluation.segmentation import MaskCounts

ZERO = np.zeros(1, np.int64)


def masks(rng: np.random.Generator, hits: float) -> MaskCounts:
    """A frame of 1000 labelled pixels of which about a share is seen, frames of one set by far not equal."""
    tp = int(1000 * np.clip(rng.normal(hits, 0.1), 0, 1))
    return MaskCounts(tp=tp, fp=int(rng.integers(0, 200)), fn=1000 - tp, tn=5000)


def boxes(rng: np.random.Generator, hits: float) -> Any:
    """A frame of six labels of which about a share is found, and three wrong boxes."""
    labels = np.array([[40.0 * i, 0, 40.0 * i + 30, 30] for i in range(6)])
    found = labels[rng.random(6) < hits]
    seen = np.concatenate([found, np.array([[300.0 + 40 * i, 100, 330.0 + 40 * i, 130] for i in range(3)])])
    confidence = np.concatenate([rng.uniform(0.4, 1, len(found)), rng.uniform(0, 0.7, 3)])
    return match_boxes(seen, confidence, np.zeros(len(seen), int), labels, np.zeros(6, int), frame_height=720)


def evaluation(seed: int, hits: float = 0.7, frames: int = 40, **changes: Any) -> Evaluation:
    rng = np.random.default_rng(seed)
    records = [
        FrameRecord(i, f"val/{i:03}", boxes=boxes(rng, hits), drivable=masks(rng, hits), lanes=masks(rng, hits))
        for i in range(frames)
    ]
    whole = Evaluation("dataset", {"size": 640}, {"classes": ["vehicle"], "frames": frames}, {}, frames=tuple(records))
    return replace(whole, **changes)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 1), st.integers(1, 30))
def test_an_evaluation_equals_itself_exactly(seed: int, hits: float, frames: int) -> None:
    same = evaluation(seed, hits, frames)
    compared = compare_evaluations(same, same, draws=1000)
    assert [each.name for each in compared.differences] == ["ap50", "drivable_miou", "drivable_iou", "lane_iou"]
    for each in compared.differences:
        assert each.difference == each.low == each.high == 0
        assert each.p == 1
        assert each.verdict == "within noise"


def test_a_clearly_worse_one_is_really_worse_and_the_reverse_is_better() -> None:
    good, bad = evaluation(1, 0.8), evaluation(2, 0.5)
    for each in compare_evaluations(good, bad).differences:
        assert each.verdict == "real, worse"
        assert each.high < 0
        assert each.p < 0.01
        assert each.low <= each.difference <= each.high
    forth, back = compare_evaluations(good, bad).differences, compare_evaluations(bad, good).differences
    for there, again in zip(forth, back, strict=True):
        assert again.verdict == "real, better"
        assert (again.low, again.high) == pytest.approx((-there.high, -there.low))


def test_the_scores_are_those_of_the_evaluation() -> None:
    from yolopv2.evaluation.summary import summarize

    a, b = evaluation(1, 0.8), evaluation(2, 0.5)
    metrics = summarize(a.frames, a.rules, a.names).metrics
    for each in compare_evaluations(a, b, draws=1000).differences:
        assert each.a == pytest.approx(metrics[each.name])


def test_the_same_seed_gives_the_same_result_and_the_order_of_frames_does_not_matter() -> None:
    a, b = evaluation(1), evaluation(2)
    shuffled = replace(b, frames=b.frames[::-1])
    assert compare_evaluations(a, b).differences == compare_evaluations(a, shuffled).differences
    assert compare_evaluations(a, b).differences != compare_evaluations(a, b, seed=1).differences


def coverage(score: str, truth: float, make: Callable[[int], tuple[Evaluation, Evaluation]], times: int) -> float:
    covered = 0
    for i in range(times):
        (each,) = (d for d in compare_evaluations(*make(i), draws=1000).differences if d.name == score)
        covered += each.low <= truth <= each.high
    return covered / times


def test_the_interval_of_iou_covers_the_truth_in_about_95_of_100_cases() -> None:
    """The truth is that of a very large set from which the small ones are drawn."""

    def make(seed: int, frames: int = 60) -> tuple[Evaluation, Evaluation]:
        a, b = evaluation(2 * seed, 0.70, 0), evaluation(2 * seed + 1, 0.66, 0)
        rng = np.random.default_rng(seed)
        hard = rng.normal(0, 0.08, frames)  # a hard frame is hard for both
        of_a, of_b = (
            tuple(FrameRecord(i, str(i), lanes=masks(rng, share + hard[i])) for i in range(frames))
            for share in (0.70, 0.66)
        )
        return replace(a, frames=of_a), replace(b, frames=of_b)

    many = make(10**6, frames=20_000)
    iou = [
        sum(r.lanes.tp for r in e.frames) / sum(r.lanes.tp + r.lanes.fp + r.lanes.fn for r in e.frames) for e in many
    ]
    assert 0.91 <= coverage("lane_iou", iou[1] - iou[0], make, 200) <= 0.99


def test_the_interval_of_average_precision_covers_the_truth() -> None:
    def make(seed: int, frames: int = 40) -> tuple[Evaluation, Evaluation]:
        rng = np.random.default_rng(seed)
        of_a, of_b = (
            tuple(FrameRecord(i, str(i), boxes=boxes(rng, hits)) for i in range(frames)) for hits in (0.7, 0.6)
        )
        empty = evaluation(0, frames=0)
        return replace(empty, frames=of_a), replace(empty, frames=of_b)

    from yolopv2.evaluation.resampling import FrameTable

    a, b = (FrameTable(each.frames, each.rules).scores()["ap50"] for each in make(10**6, frames=3000))
    assert 0.85 <= coverage("ap50", b - a, make, 25) <= 1


def test_other_protocols_frames_classes_and_labels_are_refused() -> None:
    a = evaluation(1, frames=3)
    fewer = replace(a, frames=a.frames[:2])
    renamed = replace(a, data={**a.data, "classes": ["car"]})
    relabelled = replace(
        a,
        frames=(
            replace(a.frames[0], boxes=match_boxes(np.zeros((0, 4)), ZERO[:0], ZERO[:0], np.ones((1, 4)), ZERO)),
            *a.frames[1:],
        ),
    )
    for other, said in (
        (replace(a, protocol="yolop"), "protocols differ: dataset and yolop"),
        (fewer, r"frames differ: 1 are only in the first .* val/002 is only in the first"),
        (renamed, "classes differ: vehicle and car"),
        (relabelled, "labels differ at frame val/000"),
        (replace(a, frames=()), "without frames"),
        (replace(a, frames=(*a.frames, a.frames[0])), "a frame twice"),
        (replace(a, frames=tuple(FrameRecord(r.index, r.id) for r in a.frames)), "no score in common"),
    ):
        with pytest.raises(YolopError, match=said):
            compare_evaluations(a, other)
    with pytest.raises(YolopError, match="1000 draws"):
        compare_evaluations(a, a, draws=999)


def test_what_must_be_known_is_noted() -> None:
    a = evaluation(1, frames=5, metrics={"ap50": 0.5, "lane_iou": 0.5})
    b = replace(a, frames=tuple(replace(record, boxes=None) for record in a.frames))
    notes = " ".join(compare_evaluations(a, b, draws=1000).notes)
    assert "5 frames only" in notes
    assert "only one of the two has ap50" in notes
    batch = replace(b, protocol="yolop")
    assert "not by batch" in " ".join(compare_evaluations(batch, batch, draws=1000).notes)


def test_an_evaluation_without_classes_is_damaged() -> None:
    data = {**evaluation(1, frames=1).to_dict(), "data": {}}
    with pytest.raises(YolopError, match="no list of classes"):
        Evaluation.from_dict(data)
