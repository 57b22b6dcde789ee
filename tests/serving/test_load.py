"""More than the service takes: a full queue, full memory, slow answers, and what a client makes of it."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from yolopv2.scene import Scene
from yolopv2.serving import Client, ServiceError


def test_a_full_queue_answers_429_at_once_and_loses_nothing(start, runtime, grey):
    http = start({"queue": 4, "batch": 2})
    runtime.may.clear()

    def ask(value):
        began = time.monotonic()
        answer = http.post("/v1/predict", content=grey(value))
        return value, answer, time.monotonic() - began

    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(ask, value) for value in range(100, 112)]
        deadline = time.monotonic() + 10
        while sum(future.done() for future in waiting) < 8 and time.monotonic() < deadline:
            time.sleep(0.01)
        refused = [future.result() for future in waiting if future.done()]
        runtime.may.set()
        answers = [future.result() for future in waiting]
    assert len(refused) == 8
    for _, answer, _ in refused:
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 30
        assert "4 pictures wait already" in answer.json()["detail"]
    taken = [(value, answer) for value, answer, _ in answers if answer.status_code == 200]
    assert len(taken) == 4
    for value, answer in taken:
        confidence = answer.json()["scenes"][0]["vehicles"][0]["confidence"]
        assert round(confidence * 255) == value
    assert http.post("/v1/predict", content=grey(50)).status_code == 200


def test_a_client_waits_as_it_is_told_and_gets_its_answer(start, runtime, grey):
    http = start({"queue": 1})
    runtime.may.clear()
    with Client(str(http.base_url)) as client, ThreadPoolExecutor(2) as pool:
        both = [pool.submit(client.run, grey(value), conf=0) for value in (100, 200)]
        time.sleep(0.3)
        runtime.may.set()
        scenes = [future.result(20) for future in both]
    assert [round(255 * float(scene.vehicles.confidence[0])) for scene in scenes] == [100, 200]
    assert 'status="429"' in http.get("/metrics").text


def test_a_client_gives_up_with_the_reason(start, runtime, grey):
    http = start({"queue": 1})
    runtime.may.clear()
    with Client(str(http.base_url), retries=0) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.run, grey(100))
        while "yolopv2_held_images 1.0" not in http.get("/metrics").text:
            time.sleep(0.01)
        with pytest.raises(ServiceError, match="429: 1 pictures wait already") as refused:
            client.run(grey(200))
        assert refused.value.status == 429
        runtime.may.set()
        assert isinstance(first.result(20), Scene)


def test_what_takes_too_long_is_given_up(start, runtime, grey):
    http = start({"timeout": 0.2, "queue": 2})
    runtime.may.clear()
    answer = http.post("/v1/predict", content=grey(100))
    assert (answer.status_code, answer.json()["detail"]) == (503, "the answer took too long: try again later")
    assert "retry-after" in answer.headers
    assert "yolopv2_held_images 0.0" in http.get("/metrics").text
    runtime.may.set()
    assert http.post("/v1/predict", content=grey(100)).status_code == 200


def test_more_than_there_ever_is_is_refused_for_good(start, grey):
    http = start({"queue": 2, "images": 3, "memory_bytes": 100_000, "pixels": 90_000})
    three = http.post("/v1/predict", files=[("file", grey(1))] * 3)
    assert three.status_code == 413
    assert http.post("/v1/predict", content=grey(1, 200, 200)).status_code == 413  # 240 kB when decoded
    many = http.post("/v1/predict", content=grey(1, 301, 300))
    assert (many.status_code, "90000" in many.json()["detail"]) == (413, True)
    assert http.post("/v1/predict", content=grey(1)).status_code == 200


def test_stopping_answers_what_it_took(start, runtime, grey):
    http = start({"queue": 8})
    runtime.may.clear()
    with ThreadPoolExecutor(3) as pool:
        under_way = [pool.submit(http.post, "/v1/predict", content=grey(value)) for value in (100, 150, 200)]
        while "yolopv2_held_images 3.0" not in http.get("/metrics").text:
            time.sleep(0.01)
        start.server.stop()
        time.sleep(0.2)
        runtime.may.set()
        assert [future.result(20).status_code for future in under_way] == [200] * 3
