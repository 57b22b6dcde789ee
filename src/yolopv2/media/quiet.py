"""Catch what C libraries print to the standard error while they decode.

libjpeg and libpng report damage by printing it, with no file name and no way to switch it off or to read it from
Python. Catching the file descriptor keeps the user's terminal clean and tells us of the damage.
"""

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

_LOCK = threading.Lock()
if hasattr(os, "register_at_fork"):  # a child forked in the middle would inherit the lock and the diverted descriptor
    os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)

_CODEC_LINE = re.compile(
    rb"^(?:Corrupt JPEG|Premature end|Inconsistent progression|Invalid (?:SOS|JPEG|crop)|Unsupported (?:marker|JPEG)"
    rb"|Unknown Adobe|Warning: unknown JFIF|Bogus|libpng (?:warning|error)|\[ *(?:WARN|ERROR|INFO)[:@]).*\n+",
    re.MULTILINE,
)


@contextmanager
def codec_messages() -> Iterator[list[str]]:
    """Divert the standard error of the process while a picture is decoded.

    One thread at a time; what other threads print meanwhile is printed afterwards.

    Yields:
        A list that holds the codecs' lines once the block is left.
    """
    messages: list[str] = []
    with _LOCK:
        try:
            terminal = os.dup(2)
        except OSError:  # the process has no standard error
            yield messages
            return
        with _memory_file() as caught:
            os.dup2(caught.fileno(), 2)
            try:
                yield messages
            finally:
                os.dup2(terminal, 2)
                os.close(terminal)
                caught.seek(0)
                text = caught.read()
                messages += [line.decode(errors="replace").strip() for line in _CODEC_LINE.findall(text)]
                if others := _CODEC_LINE.sub(b"", text):
                    os.write(2, others)


def _memory_file() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("codec messages"), "w+b")
    return tempfile.TemporaryFile()
