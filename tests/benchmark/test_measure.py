import time
from functools import partial

import numpy as np
import pytest

from yolopv2.benchmark import measure as room
from yolopv2.benchmark.measure import Measured, measure, ratios, steps
from yolopv2.benchmark.report import Setup
from yolopv2.benchmark.setups import all_setups, usual_setups
from yolopv2.errors import YolopError
from yolopv2.evaluation.speed import available_cores

FRAMES = [np.zeros((9, 16, 3), np.uint8)]


def wait(seconds, _):
    time.sleep(seconds)


def waiter(seconds):
    return partial(wait, seconds)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(room, "_BURST", 0.01)


def test_what_takes_longer_is_measured_to_take_longer(quick):
    slow, fast = (Measured(partial(waiter, seconds), FRAMES) for seconds in (0.02, 0.004))
    for _ in range(3):
        slow.go_on()
        fast.go_on()
    slow.process.close()
    fast.process.close()
    assert all(len(turn) >= 2 for turn in slow.rounds)
    assert slow.medians.min() >= 20
    assert ratios(slow.medians, fast.medians)[0] > 1.5
    assert fast.first_frame > 0.004


def test_the_ratio_is_taken_within_a_round():
    phases = np.array([1.0, 2.0, 1.0, 2.0, 2.0])  # a machine at half speed for three rounds
    assert ratios(30 * phases, 10 * phases) == (3.0, 3.0, 3.0)


def test_rows_of_small_networks_and_of_what_cannot_be(nano_graph, quick):
    common = {"weights": str(nano_graph), "runtime": "openvino", "threads": 1}
    setups = [
        Setup(**common, precision="float32", size=64),
        Setup(**common, precision="int2", size=64),
        Setup(**common, precision="float32", size=160),
    ]
    told = []
    report = measure(setups, rounds=3, frame=(160, 90), progress=lambda: told.append(1))
    assert [row.setup for row in report.rows] == [setups[0], setups[2]]
    assert [entry.setup for entry in report.left_out] == [setups[1]]
    assert "int2" in report.left_out[0].reason
    first, second = report.rows
    assert first.ratio == 1
    assert second.ratio < 1, "a larger canvas takes longer"
    assert first.p50 <= first.p90
    assert "OpenVINO" in first.engine
    assert first.first_frame > first.p50 / 1000
    assert len(first.ms) == 3
    assert len(told) == steps(setups, 3, None)


def test_nothing_that_can_be_measured_is_an_error_with_the_reasons():
    with pytest.raises(YolopError, match=r"nothing could be measured:\n.*gone\.onnx.*No weights"):
        measure([Setup(weights="gone.onnx", threads=1)], rounds=3, frame=(160, 90))


def test_usual_setups_offer_the_choices_there_are(nano_graph, nano_checkpoint):
    single = usual_setups(["nano"])
    assert (single[0].runtime, single[0].precision, single[0].size) == ("openvino", "float32", 640)
    assert {setup.size for setup in single} == {640, 480, 320}
    assert {setup.threads for setup in single} == {1, available_cores()}
    assert len(set(single)) == len(single)
    several = usual_setups(["nano", str(nano_graph), str(nano_checkpoint)])
    assert [setup.weights for setup in several if setup.precision == "float32"] == [
        "nano",
        str(nano_graph),
        str(nano_checkpoint),
    ]
    with pytest.raises(YolopError, match="No weights"):
        usual_setups(["nobody"])


def test_all_setups_are_the_combinations():
    setups = all_setups(["a", "b"], ["openvino", "onnx"], ["float32"], [640, 320], [1])
    assert len(set(setups)) == 8
    assert all_setups(["a"]) == [Setup(weights="a", threads=available_cores())]
