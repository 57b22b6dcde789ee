import itertools
import threading
import weakref

import numpy as np
import pytest

from yolopv2.errors import YolopError
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.postprocess import Thresholds
from yolopv2.inference.predictor import Predictor
from yolopv2.media import Frame


class MeanRuntime:
    """Sees one vehicle per canvas, as confident as the middle of the canvas is bright."""

    names = {0: "car"}  # noqa: RUF012
    description = "a runtime for tests"
    streams = 2

    def __init__(self):
        self.batches = []

    def __call__(self, batch, alone=True):
        count, height, width, _ = batch.shape
        self.batches.append(batch.shape)
        box = np.array([width * 0.4, height * 0.4, width * 0.6, height * 0.6], np.float32)
        confidence = batch[:, height // 2, width // 2, 0].astype(np.float32) / 255
        return Candidates(
            np.broadcast_to(box, (count, 1, 4)), confidence.reshape(count, 1, 1), batch[..., 0], batch[..., 0]
        )


def frames(*brightnesses, shape=(30, 100)):
    return [Frame(np.full((*shape, 3), b, np.uint8), f"f{i}", i) for i, b in enumerate(brightnesses)]


def test_scenes_come_in_the_order_of_the_frames_whatever_their_sizes():
    mixed = frames(100, 150, 200, 250)
    mixed[1].image, mixed[2].image = np.full((100, 30, 3), 150, np.uint8), np.full((50, 50, 3), 200, np.uint8)
    runtime = MeanRuntime()
    scenes = Predictor(runtime, size=64)(mixed, Thresholds(conf=0.1))
    assert [scene.source for scene in scenes] == ["f0", "f1", "f2", "f3"]
    assert [round(float(scene.vehicles.confidence[0]) * 255) for scene in scenes] == [100, 150, 200, 250]
    assert [scene.drivable.shape for scene in scenes] == [frame.image.shape[:2] for frame in mixed]
    assert [shape[0] for shape in runtime.batches] == [2, 1, 1]


@pytest.mark.parametrize("batch", [1, 2, 3, 10])
def test_stream_gives_every_frame_in_order_at_any_batch(batch):
    given = frames(*range(0, 250, 25))
    seen = list(Predictor(MeanRuntime(), size=64).stream(iter(given), Thresholds(conf=0), batch))
    assert [frame for frame, _ in seen] == given
    assert [scene.index for _, scene in seen] == list(range(10))


def test_stream_holds_few_frames_at_a_time_and_ends_its_threads():
    alive = {}

    def endless():
        for index in itertools.count():
            frame = Frame(np.zeros((40, 40, 3), np.uint8), "camera", index)
            alive[index] = weakref.ref(frame, lambda _, index=index: alive.pop(index))
            yield frame

    stream = Predictor(MeanRuntime(), size=64).stream(endless(), Thresholds(), batch=2)
    most = max(len(alive) for _ in itertools.islice(stream, 50))
    stream.close()
    assert most < 15
    assert not [thread for thread in threading.enumerate() if thread.name == "yolopv2-ahead"]


def test_stream_reads_no_further_than_needed():
    read = []

    def source():
        for frame in frames(*[9] * 200):
            read.append(frame.index)
            yield frame

    stream = Predictor(MeanRuntime(), size=64).stream(source(), Thresholds(), batch=2)
    next(stream)
    stream.close()
    assert len(read) < 15


def test_errors_of_reading_reach_the_caller():
    def source():
        yield from frames(1, 2)
        raise YolopError("the camera fell off")

    with pytest.raises(YolopError, match="fell off"):
        list(Predictor(MeanRuntime(), size=64).stream(source(), Thresholds()))


@pytest.mark.parametrize("size", [0, 100, -32, 64.0, "big", True])
def test_wrong_sizes_are_refused(size):
    with pytest.raises(YolopError, match="size"):
        Predictor(MeanRuntime(), size=size)


def test_wrong_batches_are_refused():
    with pytest.raises(YolopError, match="batch"):
        next(Predictor(MeanRuntime()).stream([], Thresholds(), batch=0))


def test_look_gives_candidates_before_anything_is_decided():
    runtime = MeanRuntime()
    images = [frame.image for frame in frames(100, 200)]
    images[1] = np.full((100, 30, 3), 200, np.uint8)
    (wide, row, letterbox), (tall, other, _) = Predictor(runtime, size=64).look(images)
    assert (row, other) == (0, 0)
    assert wide is not tall
    assert wide.drivable[row].shape == (letterbox.canvas_height, letterbox.canvas_width) == (32, 64)
    stretched = Predictor(runtime, size=64).look(images, Letterbox.stretch)
    assert [candidates.drivable.shape for candidates, *_ in stretched] == [(2, 64, 64)] * 2
    assert [candidates.drivable[row][0, 0] for candidates, row, _ in stretched] == [100, 200]
