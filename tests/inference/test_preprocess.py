import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.errors import YolopError
from yolopv2.inference.preprocess import letterbox_batches

shapes = st.lists(st.tuples(st.integers(8, 80), st.integers(8, 80)), max_size=8)


@settings(max_examples=30, deadline=None)
@given(shapes)
def test_every_frame_lies_on_one_canvas(sizes):
    frames = [np.full((height, width, 3), i, np.uint8) for i, (height, width) in enumerate(sizes)]
    batches = letterbox_batches(frames, size=64)
    assert sorted(p for batch in batches for p in batch.positions) == list(range(len(frames)))
    assert len({batch.canvases.shape[1:3] for batch in batches}) == len(batches)
    for batch in batches:
        for canvas, letterbox, position in zip(batch.canvases, batch.letterboxes, batch.positions, strict=True):
            assert canvas[canvas.shape[0] // 2, canvas.shape[1] // 2].tolist() == [position] * 3
            assert np.array_equal(canvas, letterbox.apply(frames[position]))


def test_batches_keep_the_order_of_the_frames():
    frames = [np.zeros((9 + i % 2 * 50, 60, 3), np.uint8) for i in range(6)]
    assert [batch.positions for batch in letterbox_batches(frames, 64)] == [[0, 2, 4], [1, 3, 5]]


def test_a_size_that_no_network_takes_is_refused():
    with pytest.raises(YolopError, match="multiple of 32"):
        letterbox_batches([np.zeros((60, 60, 3), np.uint8)], 100)
