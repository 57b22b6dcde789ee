"""Tickets: addresses that a browser downloads from by itself, straight to disk, each of them once."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from yolopv2.studio.errors import Refusal

_MOST = 32
"""Tickets kept; the oldest make room."""


class Download(NamedTuple):
    """What a ticket stands for.

    Attributes:
        kind: Their media type.
        blocks: Its bytes, made when they are asked for.
    """

    kind: str
    blocks: Iterator[bytes]


class Tickets:
    """Downloads that were asked for, under names that nobody can guess.

    A browser sends no header with a download of its own, so the session cannot be named; the ticket stands for it.

    Example:
        >>> tickets = Tickets()
        >>> ticket = tickets.new(Download("application/zip", iter([b"PK"])))
        >>> [*tickets.take(ticket).blocks]
        [b'PK']
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, Download] = OrderedDict()
        self._lock = threading.Lock()

    def new(self, download: Download) -> str:
        """Keeps a download until it is taken."""
        ticket = secrets.token_urlsafe(24)
        with self._lock:
            self._waiting[ticket] = download
            while len(self._waiting) > _MOST:
                self._waiting.popitem(last=False)
        return ticket

    def take(self, ticket: str) -> Download:
        """Gives a download, once.

        Raises:
            Refusal: There is none of this name, or it was taken.
        """
        with self._lock:
            if ticket not in self._waiting:
                raise Refusal(404, "This download was taken already, or is no longer kept: ask for it again.")
            return self._waiting.pop(ticket)
