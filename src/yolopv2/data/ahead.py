"""Reading a data set ahead of whoever looks at it."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

from yolopv2.errors import YolopError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Frames(Protocol[T_co]):
    """Frames by their index: a `yolopv2.data.dataset.Dataset`, or packed frames."""

    def __len__(self) -> int:
        """How many frames there are."""

    def __getitem__(self, index: int) -> T_co:
        """Reads one frame."""


def iterate_samples(frames: Frames[T], workers: int = 2) -> Iterator[T | YolopError]:
    """Reads and decodes all frames in order, in threads that run ahead by a few frames, so memory stays bounded.

    Args:
        frames: What is read, from several threads.
        workers: Threads, at least one.

    Yields:
        Each frame, or the error that kept it from being read, for the caller to tell of.

    Example:
        >>> from yolopv2.errors import YolopError
        >>> class Two:
        ...     def __len__(self): return 2
        ...     def __getitem__(self, index):
        ...         if index: raise YolopError("frame 1 is damaged")
        ...         return "frame 0"
        >>> list(iterate_samples(Two()))
        ['frame 0', YolopError('frame 1 is damaged')]
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="yolopv2-read")
    waiting: deque[Future[T | YolopError]] = deque()
    try:
        for index in range(len(frames)):
            waiting.append(pool.submit(_read, frames, index))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _read(frames: Frames[T], index: int) -> T | YolopError:
    try:
        return frames[index]
    except (YolopError, OSError) as error:
        return YolopError(str(error))
