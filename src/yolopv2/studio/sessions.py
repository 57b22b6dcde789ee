"""Sessions: what each page has given to the studio, apart from that of others, and never too much."""

import secrets
import shutil
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from yolopv2.studio.errors import Refusal
from yolopv2.studio.pictures import Picture
from yolopv2.studio.settings import Limits

if TYPE_CHECKING:
    from yolopv2.studio.batches import Batch
    from yolopv2.studio.videos import Video
    from yolopv2.studio.workflows import WorkflowRun

T = TypeVar("T", bound="Picture | Video | Batch | WorkflowRun")


class Disk:
    """Counts the bytes of files that are kept.

    Args:
        limit: More is refused.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._used = limit, 0
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Counts bytes that are about to be written.

        Raises:
            Refusal: They are too many.
        """
        with self._lock:
            if self._used + size > self._limit:
                raise Refusal(507, "The studio keeps as much as it may: close other pages of it, then try again.")
            self._used += size

    def give_back(self, size: int) -> None:
        """Bytes that are gone."""
        with self._lock:
            self._used -= size


class Shelf:
    """A folder of one picture, video or batch, whose bytes are counted.

    Args:
        folder: It is made.
        disk: Counts.
    """

    def __init__(self, folder: Path, disk: Disk) -> None:
        self.folder, self._disk = folder, disk
        self._size = 0
        self._lock = threading.Lock()
        folder.mkdir(parents=True)

    def take(self, size: int) -> None:
        """Counts bytes that are about to be written here.

        Raises:
            Refusal: They are too many.
        """
        self._disk.take(size)
        with self._lock:
            self._size += size

    def write(self, name: str, data: bytes) -> Path:
        """Writes a file.

        Raises:
            Refusal: There is no room.
        """
        self.take(len(data))
        path = self.folder / name
        path.write_bytes(data)
        return path

    def drop(self, path: Path) -> None:
        """Removes a file of it, if there is one, and counts its bytes no more."""
        with suppress(FileNotFoundError):
            size = path.stat().st_size
            path.unlink()
            self._disk.give_back(size)
            with self._lock:
                self._size -= size

    def remove(self) -> None:
        """Removes the folder and all in it; may be called again."""
        shutil.rmtree(self.folder, ignore_errors=True)
        with self._lock:
            size, self._size = self._size, 0
        self._disk.give_back(size)


class Session:
    """What one page has.

    Args:
        folder: Where its files are kept.
        limits: How many.
        disk: Counts bytes for all sessions.
    """

    def __init__(self, folder: Path, limits: Limits, disk: Disk) -> None:
        self._folder, self._limits, self._disk = folder, limits, disk
        self._pictures: OrderedDict[str, Picture] = OrderedDict()
        self._videos: OrderedDict[str, Video] = OrderedDict()
        self._batches: OrderedDict[str, Batch] = OrderedDict()
        self._runs: OrderedDict[str, WorkflowRun] = OrderedDict()
        self._lock = threading.Lock()

    def shelf(self) -> Shelf:
        """A new folder."""
        return Shelf(self._folder / secrets.token_hex(8), self._disk)

    def add_picture(self, picture: Picture) -> None:
        """Keeps a picture; the oldest make room."""
        self._add(self._pictures, picture, self._limits.pictures)

    def add_video(self, video: "Video") -> None:
        """Keeps a video; the oldest make room."""
        self._add(self._videos, video, self._limits.videos)

    def add_batch(self, batch: "Batch") -> None:
        """Keeps a batch; the oldest make room."""
        self._add(self._batches, batch, self._limits.batches)

    def add_run(self, run: "WorkflowRun") -> None:
        """Keeps a run of a workflow; the oldest make room."""
        self._add(self._runs, run, self._limits.runs)

    def _add(self, kept: OrderedDict[str, T], new: T, most: int) -> None:
        with self._lock:
            kept[new.id] = new
            gone = [kept.popitem(last=False)[1] for _ in range(len(kept) - most)]
        for old in gone:
            old.close()

    def picture(self, name: str) -> Picture:
        """A picture by its id.

        Raises:
            Refusal: It is gone.
        """
        return self._find(self._pictures, name, "picture")

    def video(self, name: str) -> "Video":
        """A video by its id.

        Raises:
            Refusal: It is gone.
        """
        return self._find(self._videos, name, "video")

    def batch(self, name: str) -> "Batch":
        """A batch by its id.

        Raises:
            Refusal: It is gone.
        """
        return self._find(self._batches, name, "batch")

    def run(self, name: str) -> "WorkflowRun":
        """A run of a workflow by its id.

        Raises:
            Refusal: It is gone.
        """
        return self._find(self._runs, name, "run")

    def end_batch(self, name: str) -> None:
        """Ends a batch and removes its files, if there is one of that id."""
        with self._lock:
            batch = self._batches.pop(name, None)
        if batch is not None:
            batch.close()

    def _find(self, kept: OrderedDict[str, T], name: str, kind: Literal["picture", "video", "batch", "run"]) -> T:
        with self._lock:
            if name not in kept:
                raise Refusal(404, f"This {kind} is no longer kept: open it again.")
            kept.move_to_end(name)
            return kept[name]

    def close(self) -> None:
        """Ends what runs and removes what is kept."""
        with self._lock:
            gone: list[Picture | Video | Batch | WorkflowRun] = [*self._runs.values(), *self._batches.values()]
            gone += [*self._pictures.values(), *self._videos.values()]
            self._pictures.clear()
            self._videos.clear()
            self._batches.clear()
            self._runs.clear()
        for old in gone:
            old.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class Sessions:
    """All sessions.

    Args:
        folder: Where files are kept.
        limits: How much.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        self._disk = Disk(limits.disk_bytes)
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def new(self) -> str:
        """Begins a session and returns its name, which only its page knows; the one idle longest may make room."""
        name = secrets.token_urlsafe(24)
        with self._lock:
            self._sessions[name] = Session(self._folder / secrets.token_hex(8), self._limits, self._disk)
            gone = [self._sessions.popitem(last=False)[1] for _ in range(len(self._sessions) - self._limits.sessions)]
        for old in gone:
            old.close()
        return name

    def find(self, name: str) -> Session:
        """A session by its name.

        Raises:
            Refusal: It has ended.
        """
        with self._lock:
            if name not in self._sessions:
                raise Refusal(410, "The studio was started anew or made room for others: reload the page.")
            self._sessions.move_to_end(name)
            return self._sessions[name]

    def end(self, name: str) -> None:
        """Ends a session, if there is one of that name."""
        with self._lock:
            session = self._sessions.pop(name, None)
        if session is not None:
            session.close()

    def close(self) -> None:
        """Ends all."""
        with self._lock:
            names = [*self._sessions]
        for name in names:
            self.end(name)
