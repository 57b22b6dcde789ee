"""Batches: folders and many files at once, looked at one after the other; what was seen is kept on disk."""

import re
import secrets
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from fastapi import Request
from starlette.concurrency import run_in_threadpool

from yolopv2.errors import YolopError
from yolopv2.inference import Thresholds
from yolopv2.inference.video import ahead
from yolopv2.media import Frame, Unreadable, decode_image
from yolopv2.media.headers import read_header
from yolopv2.media.video import probe_video
from yolopv2.scene import Scene
from yolopv2.studio.errors import Refusal, sentence
from yolopv2.studio.looks import Looks
from yolopv2.studio.models import Choice, Models
from yolopv2.studio.pictures import check_pixels
from yolopv2.studio.sessions import Shelf
from yolopv2.studio.settings import Limits
from yolopv2.studio.sources import kind_of, receive
from yolopv2.studio.videos import a_turn, video_frames
from yolopv2.studio.work import Work, end_all
from yolopv2.web import plain_name

_MOST_UNFINISHED = 4
"""Files of a batch that may wait to be looked at: a page sends the next one while one is looked at."""

_LONGEST_NAME = 400

_NO_ROOM = 507


class Entry:
    """One file of a batch, and what was seen in it.

    Args:
        number: Its place in the batch.
        name: Its path below the folder that was given, as results call it.
        shelf: Where the file and the looks are kept.

    Attributes:
        kind: ``picture``, ``video``, or empty while it is not known.
        work: Looking at it.
        looks: Of its frames.
        times: Of its frames, in seconds; None for pictures.
        milliseconds: That the model took for all of them.
        numbers: What is seen, by the thresholds they were last counted with.
    """

    def __init__(self, number: int, name: str, shelf: Shelf) -> None:
        self.number, self.name, self.kind = number, name, ""
        self.path = shelf.folder / f"{number:06d}"
        self.work = Work()
        self.looks = Looks(shelf, f"{number:06d}.looks")
        self.times: list[float | None] = []
        self.milliseconds = 0.0

    @property
    def is_of_use(self) -> bool:
        """Whether it was not cancelled before anything was seen."""
        return self.work.state != "cancelled" or len(self.looks) > 0

    def frames(self, limits: Limits) -> Generator[Frame, None, None]:
        """The picture, or the frames of the video."""
        if self.kind == "picture":
            yield Frame(decode_image(self.path.read_bytes()).image, self.name)
        else:
            yield from video_frames(self.path, self.name, limits.frames)

    def scenes(self, thresholds: Thresholds) -> Iterator[Scene]:
        """What was seen, without pixels, which need not be decoded for that."""
        for index, time in enumerate([*self.times]):
            look = self.looks[index]
            black = np.broadcast_to(np.uint8(0), (look.letterbox.frame_height, look.letterbox.frame_width, 3))
            yield look.decide(thresholds, Frame(black, self.name, index, time, is_video=self.kind == "video"))

    def row(self, thresholds: Thresholds) -> dict[str, Any]:
        """The entry as a row of the page's table; of videos the mean over the frames."""
        numbers = [] if self.work.is_running else [self.looks.numbers(i, thresholds) for i in range(len(self.looks))]
        means = {}
        for name in ("vehicles", "drivable", "lanes"):
            values = [value for found in numbers if (value := getattr(found, name)) is not None]
            means[name] = float(np.mean(values)) if values else None
        return {
            "number": self.number,
            "name": self.name,
            "kind": self.kind,
            **self.work.describe(),
            "frames": len(self.looks),
            **means,
            "milliseconds": self.milliseconds / len(self.looks) if len(self.looks) else None,
        }


class Batch:
    """Files that are looked at with one model; their number, and their bytes, are bounded.

    Args:
        shelf: Where everything is kept.
        models: Look at them.
        choice: The model.
        limits: What is taken.

    Attributes:
        thresholds: With which rows are counted.
    """

    def __init__(self, shelf: Shelf, models: Models, choice: Choice, limits: Limits) -> None:
        self.id, self.shelf, self.limits = secrets.token_hex(8), shelf, limits
        self.thresholds = Thresholds()
        self._models, self._choice = models, choice
        self._entries: dict[int, Entry] = {}
        self._lock = threading.Lock()
        self._looking = threading.Lock()

    async def add(self, request: Request, number: int, name: str) -> Entry:
        """Takes a file that comes as the body of a request, and begins to look at it.

        One that is refused for what it is becomes a failed entry, so that the list of results names it.

        Args:
            request: Its body is the file.
            number: The file's place in the batch, counted from 0.
            name: As it was sent.

        Raises:
            Refusal: There is no room for it, or its place is taken.
        """
        entry = self._new(number, name)
        try:
            await receive(request, entry.path, self.shelf, self.limits)
        except Refusal as refusal:
            self.shelf.drop(entry.path)
            if refusal.status == _NO_ROOM:
                self._forget(entry)
                raise
            entry.work.state, entry.work.error = "failed", sentence(refusal.sentence)
            return entry
        except BaseException:  # the page does not want it any more
            self.shelf.drop(entry.path)
            self._forget(entry)
            raise
        entry.work.start(self._look, entry)
        await run_in_threadpool(entry.work.join, 2)
        return entry

    def _new(self, number: int, name: str) -> Entry:
        if not 0 <= number < self.limits.files:
            raise Refusal(409, f"A batch takes up to {self.limits.files:,} files: use yolopv2 predict for more.")
        with self._lock:
            before = self._entries.get(number)
            if before is not None and before.is_of_use:
                raise Refusal(409, "This batch has a file of this number already.")
            if sum(entry.work.is_running for entry in self._entries.values()) >= _MOST_UNFINISHED:
                raise Refusal(429, "Files of this batch are waiting already: send the next when one of them is done.")
            self._entries[number] = entry = Entry(number, plain_path(name), self.shelf)
            return entry

    def _forget(self, entry: Entry) -> None:
        with self._lock:
            self._entries.pop(entry.number, None)

    def _look(self, entry: Entry) -> None:
        try:
            while not self._looking.acquire(timeout=0.2):
                entry.work.check()
            try:
                with a_turn(entry.work):
                    self._look_at_frames(entry)
            finally:
                self._looking.release()
        except Unreadable as error:
            raise YolopError(f"{entry.name}: {error}") from None
        finally:
            if not len(entry.looks):
                self.shelf.drop(entry.path)

    def _look_at_frames(self, entry: Entry) -> None:
        work = entry.work
        work.check()
        work.state = "looking"
        entry.kind = kind_of(entry.path, entry.name)
        if entry.kind == "picture":
            header = read_header(entry.path.read_bytes())
            check_pixels(header.width, header.height, self.limits)
            work.total = 1
        else:
            info = probe_video(entry.path)
            check_pixels(*info.size, self.limits)
            work.total = None if info.total is None else min(info.total, self.limits.frames)
        with closing(ahead(entry.frames(self.limits))) as frames:
            for frame in frames:
                work.check()
                look = self._models.look(self._choice, frame)
                entry.looks.add(look)
                entry.times.append(frame.time)
                entry.milliseconds += look.milliseconds
                work.done += 1

    def entries(self) -> list[Entry]:
        """All of them by their number, but for those that were cancelled before anything was seen."""
        with self._lock:
            entries = sorted(self._entries.items())
        return [entry for _, entry in entries if entry.is_of_use]

    def entry(self, number: int) -> Entry:
        """One of them.

        Raises:
            Refusal: There is none of this number.
        """
        with self._lock:
            if number not in self._entries:
                raise Refusal(404, "This batch has no such file.")
            return self._entries[number]

    def rows(self, thresholds: Thresholds) -> list[dict[str, Any]]:
        """All rows, with other thresholds; those of files to come are counted with them too."""
        self.thresholds = thresholds
        return [entry.row(thresholds) for entry in self.entries()]

    def cancel(self) -> None:
        """Ends looking; what was seen stays."""
        end_all(*(entry.work for entry in self.entries() if entry.work.is_running))

    def close(self) -> None:
        """Ends all and removes the files."""
        self.cancel()
        self.shelf.remove()


def plain_path(name: str) -> str:
    """What results call a file of a folder: its path below it, of plain names alone. Nothing of it is ever opened.

    Args:
        name: As it was sent.

    Example:
        >>> plain_path("drive/monday/1.jpg"), plain_path("/../../etc//passwd"), plain_path("C:\\\\a\\\\b.jpg")
        ('drive/monday/1.jpg', 'etc/passwd', 'C_/a/b.jpg')
    """
    parts = [plain_name(part, "").replace(":", "_") for part in re.split(r"[/\\]", name[-_LONGEST_NAME:])]
    return str(PurePosixPath(*[part for part in parts if part not in ("", ".", "..")] or ["file"]))
