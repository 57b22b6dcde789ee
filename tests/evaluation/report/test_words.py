import pytest

from yolopv2.evaluation.evaluate import evaluate
from yolopv2.evaluation.protocols import PROTOCOLS
from yolopv2.evaluation.report.words import WORDS, full_label, word
from yolopv2.evaluation.result import HEADLINE
from yolopv2.evaluation.robustness import SCORES


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_score_of_a_mask_is_named_and_explained(protocol: str, painted, listed, street) -> None:
    metrics = evaluate(painted(), listed([street(0), street(1)]), protocol).metrics
    for name in metrics:
        if name.startswith(("drivable", "lane")):
            assert WORDS[name].meaning, name


def test_scores_that_stand_first_are_named() -> None:
    for name in (*HEADLINE, *SCORES):
        assert WORDS[name].task in ("vehicles", "drivable", "lanes", "panoptic")
        assert "_" not in full_label(name)


def test_what_is_not_known_keeps_its_name() -> None:
    assert full_label("frobnication_rate") == "frobnication rate"
    assert word("frobnication_rate").meaning == ""
    assert full_label("lanes") == "Lane markings"
