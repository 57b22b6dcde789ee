import random

import pytest

from yolopv2.evaluation.evaluate import evaluate
from yolopv2.evaluation.panoptic import SegmentMatches
from yolopv2.evaluation.protocols import PROTOCOLS
from yolopv2.evaluation.summary import add_matches, summarize


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_order_of_the_records_changes_no_digit(painted, listed, street, name) -> None:
    """All detections have one of two confidences, so their order is decided by the frames alone."""
    measured = evaluate(painted(boxes=[(16, 8, 32, 24), (0, 0, 9, 9)]), listed([street(i) for i in range(9)]), name)
    shuffled = random.Random(1).sample(measured.frames, 9)
    again = summarize(shuffled, measured.rules, measured.names)
    assert again.metrics == measured.metrics
    assert again.curves == measured.curves


def test_matches_of_frames_add_up_by_category() -> None:
    frames = [
        {"car": SegmentMatches((0.9,), 1, 2)},
        None,
        {"car": SegmentMatches((0.6,), 0, 1), "bus": SegmentMatches()},
    ]
    assert add_matches(frames) == {"bus": SegmentMatches(), "car": SegmentMatches((0.9, 0.6), 1, 3)}
