import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.data.ahead import iterate_samples
from yolopv2.errors import YolopError


class Counted:
    """Frames that are their own numbers; some cannot be read."""

    def __init__(self, count: int, broken: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        self.count, self.broken, self.read = count, broken, 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> int:
        self.read += 1
        time.sleep(0.001 * (index % 3))
        if index in self.broken:
            raise [YolopError, FileNotFoundError][index % 2](f"frame {index}")
        return index


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 30), st.sets(st.integers(0, 30)), st.integers(1, 4))
def test_all_come_in_order_and_errors_in_their_places(count: int, broken: set[int], workers: int) -> None:
    found = list(iterate_samples(Counted(count, broken), workers))
    assert len(found) == count
    for index, item in enumerate(found):
        if index in broken:
            assert isinstance(item, YolopError)
            assert str(item) == f"frame {index}"
        else:
            assert item == index


def test_memory_is_bounded() -> None:
    frames = Counted(1000)
    samples = iterate_samples(frames, workers=2)
    next(samples)
    time.sleep(0.1)
    assert frames.read <= 5
    samples.close()  # type: ignore[attr-defined]


def test_closing_ends_the_threads() -> None:
    before = threading.active_count()
    samples = iterate_samples(Counted(1000), workers=3)
    next(samples)
    samples.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_a_mistake_of_the_program_is_not_taken_for_a_damaged_frame() -> None:
    class Wrong(Counted):
        def __getitem__(self, index: int) -> int:
            raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        list(iterate_samples(Wrong(3)))
