"""Evaluations as files."""

import json

import numpy as np
import pytest

from yolopv2.errors import YolopError
from yolopv2.evaluation.evaluate import evaluate
from yolopv2.evaluation.protocols import PROTOCOLS
from yolopv2.evaluation.resampling import FrameTable
from yolopv2.evaluation.result import SCHEMA, Evaluation


@pytest.fixture
def measured(painted, listed, street) -> Evaluation:
    samples = [street(seed, attributes={"weather": "rainy"}) for seed in range(3)]
    predictor = painted(boxes=[(16, 8, 32, 24), (0, 0, 9, 9)], names={0: "bus", 1: "vehicle"})
    return evaluate(predictor, listed(samples, names={0: "vehicle", 1: "bus"}))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_file_gives_back_what_was_saved(tmp_path, painted, listed, street, protocol) -> None:
    measured = evaluate(painted(boxes=[(16, 8, 32, 24), (0, 0, 9, 9)]), listed([street(0), street(1)]), protocol)
    path = tmp_path / "deep" / "e.json"
    measured.save(path)
    again = Evaluation.load(path)
    assert again.to_dict() == json.loads(json.dumps(measured.to_dict()))
    assert again.rules is PROTOCOLS[protocol]
    assert json.loads(path.read_text())["schema"] == SCHEMA


def test_scores_can_be_computed_again_from_the_records_of_a_file(tmp_path, measured) -> None:
    measured.save(tmp_path / "e.json")
    again = Evaluation.load(tmp_path / "e.json")
    scores = FrameTable(again.frames, again.rules).scores()
    assert scores["ap50"] == measured.metrics["ap50"]
    assert scores == pytest.approx({name: measured.metrics[name] for name in scores})
    assert {"lane_iou", "drivable_miou", "box_pq"} <= set(scores)
    assert again.frames[0].attributes == {"weather": "rainy"}


def test_confidences_come_back_exactly(measured) -> None:
    again = Evaluation.from_dict(json.loads(json.dumps(measured.to_dict())))
    for before, after in zip(measured.frames, again.frames, strict=True):
        assert np.array_equal(before.boxes.confidence, after.boxes.confidence)
        assert np.array_equal(before.boxes.class_id, after.boxes.class_id)
        assert np.array_equal(before.boxes.hits & 1, after.boxes.hits)
        assert np.array_equal(before.boxes.ignored & 1, after.boxes.ignored)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data.clear(), "is no evaluation"),
        (lambda data: data.update(schema=SCHEMA + 1), "update yolopv2"),
        (lambda data: data.update(schema="1"), "is no evaluation"),
        (lambda data: data.pop("metrics"), "the field 'metrics' is missing"),
        (lambda data: data.update(metrics=[1]), "the field 'metrics' is no dict"),
        (lambda data: data.update(protocol="mine"), "no protocol is called 'mine'"),
        (lambda data: data["frames"][1].pop("id"), "at frame 1"),
        (lambda data: data["frames"][0].update(drivable=[1, 2, 3, 4, 5, 6]), "at frame 0"),
        (lambda data: data["frames"][0].update(lane_boundary=[1]), "at frame 0"),
        (lambda data: data["frames"][2]["boxes"].update(confidence="?"), "at frame 2"),
        (lambda data: data["frames"][2]["boxes"].update(flags=""), "not of one length"),
        (lambda data: data["frames"].append(7), "at frame 3"),
    ],
)
def test_a_damaged_file_is_told_with_its_place(tmp_path, measured, spoil, said) -> None:
    data = json.loads(json.dumps(measured.to_dict()))
    spoil(data)
    (tmp_path / "e.json").write_text(json.dumps(data))
    with pytest.raises(YolopError, match=said) as raised:
        Evaluation.load(tmp_path / "e.json")
    assert "e.json" in str(raised.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "1e999", '{"schema": 1}', "[" * 100_000])
def test_what_is_no_evaluation_is_refused(tmp_path, text) -> None:
    (tmp_path / "e.json").write_text(text)
    with pytest.raises(YolopError, match=r"e\.json"):
        Evaluation.load(tmp_path / "e.json")


def test_a_missing_file_is_a_sentence(tmp_path) -> None:
    with pytest.raises(YolopError, match="cannot be read"):
        Evaluation.load(tmp_path / "none.json")
