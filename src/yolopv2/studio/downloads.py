"""Weights of the catalogue on their way to this machine; a page names them, and never an address."""

import threading
from typing import Any

from yolopv2.checkpoints.catalogue import CATALOGUE, Entry, pull
from yolopv2.studio.errors import Refusal
from yolopv2.studio.work import Work


class Downloads:
    """The downloads of a studio, one at a time of each name; all pages see the same ones.

    Args:
        allowed: Whether there may be any.
    """

    def __init__(self, allowed: bool) -> None:
        self.allowed = allowed
        self._works: dict[str, Work] = {}
        self._lock = threading.Lock()

    def start(self, name: str) -> dict[str, Any]:
        """Downloads weights, unless they are on their way; checked as `yolopv2.checkpoints.catalogue.pull` does it.

        Raises:
            Refusal: The catalogue has no such name, it comes with the package, or others can reach this studio.
        """
        entry = _entry(name)
        if entry.url is None:
            raise Refusal(409, f"{name} comes with the package: there is nothing to download.")
        if not self.allowed:
            raise Refusal(403, "This studio downloads nothing, because others than this machine can reach it.")
        with self._lock:
            work = self._works.get(name)
            if work is None or not work.is_running:
                work = self._works[name] = Work("downloading", entry.size)
                work.start(_download, work, entry)
        return work.describe()

    def describe(self, name: str) -> dict[str, Any] | None:
        """How far the last download of a name has come, or None where there was none.

        Raises:
            Refusal: The catalogue has no such name.
        """
        work = self._works.get(_entry(name).name)
        return None if work is None else work.describe()

    def cancel(self, name: str) -> dict[str, Any] | None:
        """Ends a download with the next bytes that come; nothing of it is kept.

        Raises:
            Refusal: The catalogue has no such name.
        """
        work = self._works.get(_entry(name).name)
        if work is not None:
            work.cancel()
            work.join(2)
        return self.describe(name)

    def close(self) -> None:
        """Ends all."""
        for name in [*self._works]:
            self.cancel(name)


def _entry(name: str) -> Entry:
    if name not in CATALOGUE:
        raise Refusal(404, f"The catalogue has no {name!r}: it has {', '.join(CATALOGUE)}.")
    return CATALOGUE[name]


def _download(work: Work, entry: Entry) -> None:
    def watch(done: int, total: int | None) -> None:
        work.done, work.total = done, total or work.total
        work.check()

    pull(entry, watch)
