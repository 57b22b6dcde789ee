import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.errors import YolopError
from yolopv2.media import Pace, VideoWriter, open_source


def chosen(pace, fps, count, decimals=6):
    wanted = pace.chooser(fps)
    return [index for index in range(count) if wanted(index, round(index / fps, decimals))]


@given(st.integers(1, 9), st.floats(1, 120), st.integers(0, 100))
def test_every_counts_frames(every, fps, count):
    assert chosen(Pace(every=every), fps, count) == list(range(0, count, every))


@given(st.floats(5, 120), st.floats(1, 130), st.sampled_from([3, 6]))
def test_max_fps_thins_evenly_to_the_rate_it_states(fps, limit, decimals):
    pace = Pace(max_fps=limit)
    given_ = chosen(pace, fps, 400, decimals)
    seconds = 400 / fps
    assert given_[0] == 0
    rounded = 0.03 * len(given_) * (decimals == 3)  # times in milliseconds put two frames into one interval
    assert abs(len(given_) - pace.rate(fps) * seconds) <= 2 + rounded
    if len(given_) > 2:
        assert np.ptp(np.diff(given_)) <= 1 + (decimals == 3)


@pytest.mark.parametrize("decimals", [3, 6])
def test_a_limit_that_divides_the_rate_gives_equal_steps(decimals):
    assert chosen(Pace(max_fps=10), 30, 100, decimals) == list(range(0, 100, 3))
    assert chosen(Pace(max_fps=30), 30, 100, decimals) == list(range(100))
    assert chosen(Pace(max_fps=30), 60, 100, decimals) == list(range(0, 100, 2))
    assert chosen(Pace(every=2, max_fps=5), 30, 100, decimals) == list(range(0, 100, 6))


@pytest.mark.parametrize(
    "values",
    [{"every": 0}, {"every": True}, {"every": 1.5}, {"max_fps": 0}, {"max_fps": float("nan")}, {"max_fps": "9"}],
)
def test_what_is_no_pace_is_refused(values):
    with pytest.raises(YolopError, match=next(iter(values))):
        Pace(**values)


def test_a_source_keeps_numbers_and_times_and_tells_the_rate(tmp_path):
    path = tmp_path / "drive.mp4"
    with VideoWriter(path, 12, 64, 48) as video:
        for level in range(24):
            video.write(np.full((48, 64, 3), 10 * level, np.uint8))
    still = np.zeros((48, 64, 3), np.uint8)
    with open_source([path, still, still], pace=Pace(every=4)) as source:
        frames = list(source)
        assert source.total == len(frames) == 6 + 2
    assert [frame.index for frame in frames] == [0, 4, 8, 12, 16, 20, 0, 0]
    assert [frame.fps for frame in frames[:6]] == [3] * 6
    assert [frame.time for frame in frames[:6]] == pytest.approx([0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3])
    assert [frame.image.mean() for frame in frames[:6]] == pytest.approx([0, 40, 80, 120, 160, 200], abs=4)
