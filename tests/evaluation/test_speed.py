import time

from yolopv2.evaluation.speed import COUNTED, WARM_UP, measure_speed


def test_stages_are_named_and_add_up_to_the_whole(painted, listed, street) -> None:
    predictor = painted()
    runtime = predictor.runtime

    def slow(batch, alone=True):
        time.sleep(0.002 * len(batch))
        return runtime(batch)

    slow.names, slow.description = runtime.names, "slow"
    predictor.runtime = slow
    speed = measure_speed(predictor, listed([street(0), street(1)]))
    latency = speed["latency_ms"]
    assert list(latency) == ["preprocess", "network", "postprocess", "whole"]
    assert all(times["p50"] <= times["p90"] <= times["p99"] for times in latency.values())
    assert latency["network"]["p50"] >= 2
    assert latency["whole"]["p50"] > latency["network"]["p50"]
    assert 0 < speed["throughput"] < 500
    assert speed["runtime"] == "slow"
    assert speed["frame"] == [64, 32]
    assert (speed["warm_up"], speed["counted"]) == (WARM_UP, COUNTED)
    assert speed["cores"] >= 1


def test_the_first_frames_do_not_count(painted, listed, street) -> None:
    predictor = painted()
    runtime = predictor.runtime
    calls = []

    def slow_at_first(batch, alone=True):
        calls.append(len(batch))
        if len(calls) <= WARM_UP:
            time.sleep(0.3)
        return runtime(batch)

    slow_at_first.names, slow_at_first.description = runtime.names, "slow at first"
    predictor.runtime = slow_at_first
    latency = measure_speed(predictor, listed([street(0)]))["latency_ms"]
    assert latency["network"]["p99"] < 200
    assert calls[: WARM_UP + COUNTED] == [1] * (WARM_UP + COUNTED)
