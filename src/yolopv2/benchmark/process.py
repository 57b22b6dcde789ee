"""Something loaded in a process of its own, that works when it is told to.

A process tells what one engine takes alone: its memory, and its time from nothing to the first frame. Engines in one
process would share libraries, thread pools and allocators.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from yolopv2.errors import YolopError
from yolopv2.evaluation.speed import available_cores

Loaded = TypeVar("Loaded")
Result = TypeVar("Result")


class LoadedProcess(Generic[Loaded]):
    """A process that loads something and keeps it; to be closed, or used as a context.

    Args:
        load: Loads; like all that goes to the process it must be picklable.
        threads: Cores the process may use, which is how many threads every engine then starts; all if None.

    Attributes:
        started: When it was started, by `time.perf_counter`.

    Raises:
        YolopError: This machine has fewer cores, or its system cannot limit a process to some.

    Example:
        >>> with LoadedProcess(dict) as process:
        ...     process.call(len)
        0
    """

    def __init__(self, load: Callable[[], Loaded], threads: int | None = None) -> None:
        check_threads(threads)
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(load, threads, theirs), daemon=True)
        self.started = time.perf_counter()
        self._process.start()
        theirs.close()

    def __enter__(self) -> "LoadedProcess[Loaded]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """What ``work(loaded, *arguments)`` returns in the process.

        Raises:
            YolopError: It, or the loading, failed, or the process ended.
        """
        try:
            with suppress(OSError):  # a process that failed to load has ended, but has said why
                self._pipe.send((work, arguments))
            done, result = self._pipe.recv()
        except (EOFError, OSError):
            raise YolopError("its process ended: there may be too little memory") from None
        if not done:
            raise YolopError(result)
        return result

    def close(self) -> None:
        """Ends the process, which has nothing to save."""
        self._pipe.close()
        self._process.kill()
        self._process.join()


def check_threads(threads: int | None) -> None:
    """Raises a `YolopError` unless a process can be limited to so many cores here."""
    cores = available_cores()
    if threads is None or threads == cores:
        return
    if not 1 <= threads <= cores:
        raise YolopError(f"{threads} threads cannot be had here: choose from 1 to {cores}")
    if not hasattr(os, "sched_setaffinity"):
        raise YolopError("this system cannot limit a process to some cores: leave the number of threads out")


def resident_memory(_: object = None) -> float | None:
    """Megabytes (10^6 bytes) of memory this process holds now; None where the system does not tell."""
    return _memory("VmRSS")


def peak_memory(_: object = None) -> float | None:
    """The most megabytes (10^6 bytes) this process has held so far; None where the system does not tell."""
    return _memory("VmHWM")


def _memory(name: str) -> float | None:
    try:
        with open("/proc/self/status") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines[name].split()[0]) * 1024 / 1e6
    except (OSError, KeyError, ValueError):
        return None


def _serve(load: Callable[[], Any], threads: int | None, pipe: Connection) -> None:
    """The process: loads, then does what it is told until the other end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which closes the pipe
    if threads is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    try:
        loaded = load()
    except Exception as error:
        _answer(pipe, (False, _words(error)))
        return
    while True:
        try:
            work, arguments = pipe.recv()
        except EOFError:
            return
        try:
            answer = (True, work(loaded, *arguments))
        except Exception as error:
            answer = (False, _words(error))
        _answer(pipe, answer)


def _answer(pipe: Connection, answer: tuple[bool, Any]) -> None:
    try:
        pipe.send(answer)
    except OSError:
        os._exit(1)  # nobody listens any more


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, YolopError) else f"{type(error).__name__}: {error}"
