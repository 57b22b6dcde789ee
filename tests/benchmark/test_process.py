import os
from functools import partial

import pytest

from yolopv2.benchmark.process import LoadedProcess, peak_memory, resident_memory
from yolopv2.errors import YolopError
from yolopv2.evaluation.speed import available_cores


def refuse():
    raise YolopError("no such weights")


def end(_, code):
    os._exit(code)


def test_what_is_loaded_stays_and_works_when_told():
    with LoadedProcess(partial(list, "ab"), threads=1) as process:
        process.call(list.append, "c")
        assert process.call(list.copy) == ["a", "b", "c"]
        assert process.call(_cores) == 1
        assert process.call(_process) != os.getpid()
        with pytest.raises(YolopError, match="ValueError"):
            process.call(list.remove, "x")
        assert process.call(len) == 3, "an error ends nothing"
        memory = process.call(resident_memory)
        assert memory is None or 5 < memory < 500
        peak = process.call(hold_for_a_moment)
        assert peak is None or memory is None or peak > memory + 90
        with pytest.raises(YolopError, match="its process ended"):
            process.call(end, 3)


def test_an_error_of_loading_is_told_when_something_is_asked():
    with LoadedProcess(refuse) as process, pytest.raises(YolopError, match="no such weights"):
        process.call(len)


@pytest.mark.parametrize("threads", [0, -1, 4096])
def test_more_cores_than_there_are_cannot_be_had(threads):
    with pytest.raises(YolopError, match=f"{threads} threads"):
        LoadedProcess(list, threads)


def hold_for_a_moment(_):
    bytearray(100_000_000)[:] = b"x" * 100_000_000
    return peak_memory()


def _cores(_):
    return available_cores()


def _process(_):
    return os.getpid()
