import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.inference.video import ahead, in_parallel


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers() | st.none()), st.integers(1, 4))
def test_gives_all_in_order(items, depth):
    assert list(ahead(ahead(items, depth), depth)) == items


def test_errors_reach_the_caller_after_what_came_before():
    def numbers():
        yield 1
        yield 2
        raise ValueError("the third is bad")

    got = []
    with pytest.raises(ValueError, match="the third is bad"):  # noqa: PT012 - what came before matters
        for number in ahead(ahead(numbers())):
            got.append(number)
    assert got == [1, 2]


def test_runs_ahead_by_no_more_than_its_depth():
    made = []

    def numbers():
        for number in range(100):
            made.append(number)
            yield number

    stage = ahead(numbers(), depth=3)
    assert next(stage) == 0
    time.sleep(0.1)
    assert len(made) <= 1 + 3 + 1  # taken, waiting, in hand
    stage.close()


def test_closing_closes_every_stage_and_ends_its_threads():
    closed = []

    def endless(name, items):
        try:
            yield from items
        finally:
            closed.append(name)

    def forever():
        while True:
            yield 0

    before = threading.active_count()
    stages = ahead(endless("second", ahead(endless("first", forever()))))
    next(stages)
    stages.close()
    deadline = time.monotonic() + 2
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before
    assert sorted(closed) == ["first", "second"]


def test_nothing_runs_before_the_first_item_is_asked_for():
    ran = []

    def numbers():
        ran.append(True)
        yield 1

    ahead(numbers()).close()
    assert not ran


def test_reading_and_looking_overlap():
    def slow(items):
        for item in items:
            time.sleep(0.02)
            yield item

    began = time.monotonic()
    for _ in ahead(slow(ahead(slow(range(15))))):
        time.sleep(0.02)
    assert time.monotonic() - began < 0.02 * 15 * 2.4  # one after another it would be 3


def threads_end(before):
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    return threading.active_count() == before


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 0.002)), st.integers(1, 4))
def test_parallel_work_keeps_the_order_however_long_each_takes(pauses, workers):
    def work(item):
        position, pause = item
        time.sleep(pause)
        return position

    assert list(in_parallel(work, enumerate(pauses), workers)) == list(range(len(pauses)))


def test_parallel_work_is_done_side_by_side():
    meeting = threading.Barrier(3, timeout=5)  # broken unless three come together
    assert list(in_parallel(lambda item: meeting.wait() >= 0, range(6), workers=3)) == [True] * 6


@pytest.mark.parametrize("where", ["work", "items"])
def test_errors_in_the_middle_come_after_what_came_before(where):
    def items():
        yield from range(5)
        if where == "items":
            raise ValueError("bad")
        yield from range(5, 9)

    def work(item):
        if where == "work" and item == 5:
            raise ValueError("bad")
        return item

    before, got = threading.active_count(), []
    with pytest.raises(ValueError, match="bad"):  # noqa: PT012 - what came before matters
        for item in in_parallel(work, items(), workers=2):
            got.append(item)
    assert got == list(range(5))
    assert threads_end(before)


@pytest.mark.parametrize("workers", [1, 3])
def test_parallel_work_takes_no_more_than_it_may_hold(workers):
    taken = []

    def items():
        for number in range(1000):
            taken.append(number)
            yield number

    stage = in_parallel(lambda item: item, items(), workers)
    for position in range(5):
        assert next(stage) == position
        time.sleep(0.05)
        assert len(taken) - position - 1 <= 2 * workers + 2
    stage.close()


def test_closing_early_closes_the_items_and_leaves_no_thread():
    closed = []

    def forever():
        try:
            while True:
                yield 0
        finally:
            closed.append(True)

    before = threading.active_count()
    stage = in_parallel(lambda item: item, forever(), workers=3)
    next(stage)
    stage.close()
    assert threads_end(before)
    assert closed == [True]
