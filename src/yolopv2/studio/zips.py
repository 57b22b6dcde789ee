"""ZIP files, made while they are sent: nothing of them is kept."""

import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

_BLOCK = 1 << 20


class Zip:
    """A ZIP that is written in pieces.

    Example:
        >>> with Zip() as zipped:
        ...     blocks = [*zipped.add("a.txt", [b"seen"])]
        >>> b"".join([*blocks, zipped.drain()])[:2]
        b'PK'
    """

    def __init__(self) -> None:
        self._written = _Written()
        self._file = zipfile.ZipFile(self._written, "w")

    def add(self, name: str, blocks: Iterable[bytes], compressed: bool = False) -> Iterator[bytes]:
        """Adds a file, and yields the bytes of the archive as they come.

        Args:
            name: Of the file, with folders.
            blocks: What it holds.
            compressed: Whether it is made smaller; pictures and videos are small already.
        """
        info = zipfile.ZipInfo(name, time.localtime()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
        with self._file.open(info, "w", force_zip64=True) as member:
            for block in blocks:
                member.write(block)
                yield self.drain()
        yield self.drain()

    def drain(self) -> bytes:
        """What was written and not yet given."""
        return self._written.drain()

    def __enter__(self) -> "Zip":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class _Written:
    """A file that cannot be sought in: what was written, until it is sent."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def drain(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def file_blocks(path: Path) -> Iterator[bytes]:
    """A file in pieces."""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def zip_of_folder(folder: Path) -> Iterator[bytes]:
    """All files of a folder and below it, by their paths from there."""
    with Zip() as zipped:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = path.relative_to(folder).as_posix()
                yield from zipped.add(name, file_blocks(path), compressed=path.suffix in (".json", ".jsonl", ".txt"))
    yield zipped.drain()
