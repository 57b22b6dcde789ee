"""Compiled graphs on disk: what an engine once made of a graph it need not make again.

An entry is a file ``<key>.blob`` in ``compiled/`` of the cache folder: the engine's own bytes, or what is known of a
graph, and then their SHA-256. Entries are written whole and never changed, so several processes may share the folder,
and the bytes are mapped into memory instead of read: what the engine uses once, it need not hold. A damaged entry
counts as absent, and the least recently used go when all together take more than `LIMIT`. A folder that cannot be
written to is no error: then nothing is kept.
"""

import hashlib
import mmap
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


def load_entry(key: str) -> memoryview | None:
    """The bytes kept under a key, or None if there are none or they are damaged.

    They are pages of the file; what is written to them stays in this process.
    """
    path = compiled_folder() / f"{key}.blob"
    try:
        with path.open("rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    except (OSError, ValueError):  # an empty file cannot be mapped
        return None
    blob = content[:-_DIGEST]
    if hashlib.sha256(blob).digest() != content[-_DIGEST:]:
        return None
    used_now(path)
    return blob


def release_pages(blob: memoryview) -> None:
    """Lets the system have the memory of what `load_entry` gave; who looks at it again reads it from the file again."""
    if hasattr(mmap, "MADV_DONTNEED") and isinstance(blob.obj, mmap.mmap):
        blob.obj.madvise(mmap.MADV_DONTNEED)


def store_entry(key: str, blob: bytes | memoryview) -> None:
    """Keeps bytes under a key, and drops the least recently used entries beyond `LIMIT`."""
    if len(blob) > LIMIT:
        return
    path = compiled_folder() / f"{key}.blob"
    with suppress(YolopError, OSError):
        write_bytes_atomic(path, b"".join((blob, hashlib.sha256(blob).digest())))
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
            with suppress(OSError):  # another process may have dropped it, or have it open, which Windows does not bear
                path.unlink()
