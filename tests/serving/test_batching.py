"""Frames of many threads share batches, and nobody's result is another's."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from yolopv2.inference import Predictor, Thresholds
from yolopv2.media import Frame
from yolopv2.serving.batching import Batcher


def frame(brightness, name=""):
    return Frame(np.full((30, 60, 3), brightness, np.uint8), name)


@pytest.fixture
def batcher(runtime):
    batcher = Batcher(Predictor(runtime, 64), most=4, wait=0.05)
    yield batcher
    runtime.may.set()
    batcher.close()


def test_everyone_gets_his_own(batcher, runtime):
    def ask(brightness):
        return float(batcher.submit(frame(brightness), Thresholds(conf=0)).result(10).vehicles.confidence[0]) * 255

    with ThreadPoolExecutor(8) as pool:
        assert [round(value) for value in pool.map(ask, range(1, 200))] == list(range(1, 200))
    assert 1 < max(runtime.batches) <= 4
    assert sum(runtime.batches) == 199


def test_a_full_batch_does_not_wait_and_thresholds_stay_apart(runtime):
    seen = []
    batcher = Batcher(Predictor(runtime, 64), most=4, wait=60, watch=lambda frames, *_: seen.append(frames))
    futures = [batcher.submit(frame(100), Thresholds(conf=conf)) for conf in (0.1, 0.9, 0.1, 0.9)]
    assert [len(future.result(10).vehicles) for future in futures] == [1, 0, 1, 0]
    assert runtime.batches == [2, 2]
    batcher.close()
    assert seen == [4]


def test_a_bad_frame_does_no_harm_to_others(batcher, runtime):
    runtime.may.clear()
    good, bad = batcher.submit(frame(200, "good"), Thresholds()), Frame(np.empty((0, 0, 3), np.uint8), "bad")
    failing, last = batcher.submit(bad, Thresholds()), batcher.submit(frame(210, "last"), Thresholds())
    runtime.may.set()
    assert [good.result(10).source, last.result(10).source] == ["good", "last"]
    assert failing.exception(10) is not None


def test_cancelled_frames_are_not_looked_at_and_closing_finishes_the_rest(runtime):
    batcher = Batcher(Predictor(runtime, 64), most=1, wait=0)
    runtime.may.clear()
    futures = [batcher.submit(frame(value), Thresholds()) for value in range(100, 105)]
    assert futures[3].cancel()
    runtime.may.set()
    batcher.close()
    assert [future.cancelled() or future.result(0) is not None for future in futures]
    assert runtime.batches == [1] * 4


def test_streams_look_side_by_side_at_a_frame_each(runtime):
    at_once, alone = threading.Barrier(2), []

    class Streams(type(runtime)):
        streams = 2

        def __call__(self, batch, alone_=True):
            alone.append(alone_)
            if len(alone) > 1:  # the first has nobody beside it
                at_once.wait(10)
            return super().__call__(batch)

    batcher = Batcher(Predictor(engine := Streams(), 64), most=4, wait=60)
    assert batcher.submit(frame(100), Thresholds(conf=0)).result(10) is not None
    together = [batcher.submit(frame(value), Thresholds(conf=0)) for value in (50, 150)]
    seen = [float(future.result(10).vehicles.confidence[0]) * 255 for future in together]
    batcher.close()
    assert [round(value) for value in seen] == [50, 150]
    assert engine.batches == [1, 1, 1]
    assert alone[0]
    assert not all(alone[1:])
