import numpy as np
import pytest

from yolopv2.evaluation.evaluate import evaluate
from yolopv2.evaluation.protocols import PROTOCOLS, protocol
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.resampling import FrameTable, intervals
from yolopv2.evaluation.segmentation import MaskCounts
from yolopv2.evaluation.summary import summarize


@pytest.mark.parametrize("name", sorted(set(PROTOCOLS) - {"yolop", "yolopv2"}))
def test_the_table_of_all_frames_gives_the_scores_of_the_evaluation(painted, listed, street, name) -> None:
    measured = evaluate(painted(), listed([street(seed) for seed in range(5)]), name)
    scores = FrameTable(measured.frames, measured.rules).scores()
    assert scores == pytest.approx({name: measured.metrics[name] for name in scores}, abs=1e-12)


@pytest.mark.parametrize("name", sorted(set(PROTOCOLS) - {"yolop", "yolopv2"}))
def test_weights_choose_frames(painted, listed, street, name) -> None:
    measured = evaluate(painted(), listed([street(seed) for seed in range(5)]), name)
    chosen = FrameTable(measured.frames, measured.rules).scores(np.array([0, 1, 0, 1, 1]))
    alone = summarize([measured.frames[i] for i in (1, 3, 4)], measured.rules, measured.names).metrics
    assert chosen == pytest.approx({name: alone[name] for name in chosen}, abs=1e-12)


def records_of(counts: list[MaskCounts]) -> list[FrameRecord]:
    return [FrameRecord(i, str(i), lanes=each) for i, each in enumerate(counts)]


def test_an_interval_narrows_with_frames_and_holds_the_value() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for frames in (20, 2000):
        counts = [MaskCounts(tp=int(t), fn=10 - int(t), tn=10) for t in rng.integers(0, 11, frames)]
        table = FrameTable(records_of(counts), protocol("dataset"))
        low, high = intervals(table.scores, frames)["lane_iou"]
        assert low < table.scores()["lane_iou"] < high
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0] / 10, rel=0.5)


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Frames of recall 0 or 1 with a chance of 0.5: of 200 samples of 40, about 95 % of the intervals hold 0.5."""
    rng = np.random.default_rng(1)
    rules = protocol("dataset")
    held = 0
    for seed in range(200):
        counts = [MaskCounts(tp=10 * int(h), fn=10 - 10 * int(h), tn=5) for h in rng.random(40) < 0.5]
        low, high = intervals(FrameTable(records_of(counts), rules).scores, 40, resamples=100, seed=seed)["lane_recall"]
        held += low <= 0.5 <= high
    assert 0.88 < held / 200 < 0.99


def test_the_seed_decides() -> None:
    table = FrameTable(records_of([MaskCounts(tp=i, fn=9, tn=1) for i in range(9)]), protocol("dataset"))
    first, again, other = (intervals(table.scores, 9, seed=seed) for seed in (0, 0, 1))
    assert first == again != other


def test_no_frames_have_no_scores() -> None:
    table = FrameTable([], protocol("hybridnets"))
    assert table.scores() == {}
    assert table.band_scores(1) == {}
    assert intervals(table.scores, 0) == {}
