"""Work that overlaps: reading, looking and writing each in a thread of its own, in order."""

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE = 2.0
"""Seconds to wait for the thread at the end: it may hang in a camera that gives no frame."""


def ahead(items: Iterable[T], depth: int = 2) -> Generator[T, None, None]:
    """Yields items in order while a thread already makes the next ones.

    The thread starts with the first item asked for. At most ``depth`` finished items wait, so memory stays bounded
    however slow the caller is. Stages of a pipeline are joined by nesting: ``ahead(look(ahead(frames)))``.

    Args:
        items: Iterated over, and closed if it is a generator, in the thread.
        depth: Most items that wait for the caller.

    Yields:
        The items.

    Raises:
        BaseException: What the iteration raised, after the items that came before it.

    Example:
        >>> list(ahead(range(5)))
        [0, 1, 2, 3, 4]
    """
    waiting: queue.Queue[tuple[T, ...] | BaseException | None] = queue.Queue(depth)
    stop = threading.Event()

    def hand_over(entry: tuple[T, ...] | BaseException | None) -> None:
        while not stop.is_set():
            with suppress(queue.Full):
                waiting.put(entry, timeout=0.1)
                break

    def work() -> None:
        ending: BaseException | None = None
        try:
            iterator = iter(items)
            try:
                for item in iterator:
                    hand_over((item,))
                    if stop.is_set():
                        break
            finally:
                if isinstance(iterator, Generator):
                    iterator.close()
        except BaseException as error:  # carried to the caller's thread
            ending = error
        hand_over(ending)

    thread = threading.Thread(target=work, name="yolopv2-ahead", daemon=True)
    thread.start()
    try:
        while (entry := waiting.get()) is not None:
            if isinstance(entry, BaseException):
                raise entry
            yield entry[0]
    finally:
        stop.set()
        thread.join(_PATIENCE)


def in_parallel(work: Callable[[T], R], items: Iterable[T], workers: int) -> Generator[R, None, None]:
    """Yields what becomes of each item, in order, while threads already work on the next ones.

    At most ``2 * workers + 2`` items are taken and not yet yielded, so memory stays bounded.

    Args:
        work: Called with each item, in any of the threads.
        items: Iterated over, and closed if it is a generator, in a further thread.
        workers: Items that are worked on at once.

    Yields:
        The results.

    Raises:
        BaseException: What the iteration or the work raised, after the results that came before it.

    Example:
        >>> list(in_parallel(str, range(5), workers=2))
        ['0', '1', '2', '3', '4']
    """

    def submitted() -> Generator[Future[R], None, None]:
        try:
            for item in items:
                yield pool.submit(work, item)
        finally:
            if isinstance(items, Generator):
                items.close()

    pool = ThreadPoolExecutor(workers, thread_name_prefix="yolopv2-work")
    try:
        with closing(ahead(submitted(), depth=2 * workers - 1)) as futures:
            for future in futures:
                yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)
