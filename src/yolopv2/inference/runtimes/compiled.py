"""Compiled graphs on disk: what an engine once made of a graph it need not make again.

An entry is a file ``<key>.blob`` in ``compiled/`` of the cache folder: the SHA-256 of what follows, then the engine's
own bytes. Entries are written whole, so several processes may share the folder; a damaged one counts as absent; and the
least recently used go when all together take more than `LIMIT`. A folder that cannot be written to is no error: then
nothing is kept.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from yolopv2.errors import YolopError
from yolopv2.files import cache_folder, write_bytes_atomic

LIMIT = 512 * 2**20
"""Bytes that all entries together may take."""

_DIGEST = hashlib.sha256().digest_size


def compiled_folder() -> Path:
    """Where compiled graphs are kept."""
    return cache_folder() / "compiled"


def entry_key(*parts: object) -> str:
    """The name of an entry: a digest of all that it depends on.

    Example:
        >>> entry_key("graph", 640) == entry_key("graph", 640), entry_key("graph", 640) == entry_key("graph", 320)
        (True, False)
    """
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def load_entry(key: str) -> bytes | None:
    """The bytes kept under a key, or None if there are none or they are damaged."""
    path = compiled_folder() / f"{key}.blob"
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, blob = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(blob).digest() != digest:
        return None
    used_now(path)
    return blob


def store_entry(key: str, blob: bytes) -> None:
    """Keeps bytes under a key, and drops the least recently used entries beyond `LIMIT`."""
    if len(blob) > LIMIT:
        return
    path = compiled_folder() / f"{key}.blob"
    with suppress(YolopError, OSError):
        write_bytes_atomic(path, hashlib.sha256(blob).digest() + blob)
        drop_oldest(path.parent, LIMIT)


def used_now(path: Path) -> None:
    """Makes an entry the most recently used one."""
    with suppress(OSError):
        os.utime(path)


def drop_oldest(folder: Path, limit: int) -> None:
    """Removes the least recently used files of a folder beyond so many bytes; hidden ones are being written."""
    facts = []
    for path in folder.glob("[!.]*"):
        with suppress(OSError):  # another process may just have dropped it
            facts.append((path.stat().st_mtime_ns, path.stat().st_size, path))
    total = 0
    for _, size, path in sorted(facts, reverse=True):
        total += size
        if total > limit:
            path.unlink(missing_ok=True)
