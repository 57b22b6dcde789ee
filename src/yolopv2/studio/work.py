"""Work that takes a while: in a thread of its own, with its progress, ended when nobody wants it any more."""

import threading
from collections.abc import Callable
from typing import Any, Literal

from yolopv2.errors import YolopError
from yolopv2.studio.errors import LOG, Refusal, sentence

_PATIENCE = 10.0
"""Seconds that a work may take to its next step."""

State = Literal["waiting", "downloading", "rendering", "looking", "done", "cancelled", "failed"]


class Cancelled(Exception):  # noqa: N818 - not an error
    """Nobody wants the work any more."""


class Work:
    """Something that takes a while, as the page shows it.

    Args:
        state: In which it is.
        total: Steps in all, where known.

    Attributes:
        state: In which it is.
        done: Steps that are done.
        total: Steps in all, or None.
        error: Why it failed, as a sentence.

    Example:
        >>> work = Work()
        >>> work.start(lambda: None)
        >>> work.join(10)
        >>> work.describe()
        {'state': 'done', 'done': 0, 'total': None, 'error': ''}
    """

    def __init__(self, state: State = "waiting", total: int | None = None) -> None:
        self.state, self.done, self.total, self.error = state, 0, total, ""
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.state not in ("done", "cancelled", "failed")

    def start(self, do: Callable[..., None], *arguments: Any) -> None:
        """Does it."""
        self._thread = threading.Thread(target=self._run, args=(do, *arguments), name="yolopv2-studio", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Ends the work where nobody wants it any more.

        Raises:
            Cancelled: So it is.
        """
        if self._stop.is_set():
            raise Cancelled

    def cancel(self) -> None:
        """Tells it to end at its next step."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Waits for its end, but not for ever."""
        if self._thread is not None:
            self._thread.join(seconds)

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        return {"state": self.state, "done": self.done, "total": self.total, "error": self.error}

    def _run(self, do: Callable[..., None], *arguments: Any) -> None:
        try:
            do(*arguments)
            self.state = "done"
        except Cancelled:
            self.state = "cancelled"
        except (YolopError, Refusal) as error:
            self.error, self.state = sentence(str(error)), "failed"
        except Exception:
            LOG.exception("work failed")
            self.error, self.state = "Something went wrong in the studio; its terminal says what.", "failed"


def end_all(*works: Work) -> None:
    """Cancels works and waits for their ends, but not for ever."""
    for work in works:
        work.cancel()
    for work in works:
        work.join(_PATIENCE)
