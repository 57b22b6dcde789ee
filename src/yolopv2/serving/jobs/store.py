"""Jobs on disk: a folder each, written so that a kill at any moment loses no finished job.

``job.json`` says what a job is and how far it came; a folder without one is an upload that never ended. What a job
makes lies in ``work`` until it is whole, so a result that is there is whole.
"""

import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from yolopv2.errors import YolopError
from yolopv2.files import write_text_atomic
from yolopv2.serving.errors import LOG, Problem
from yolopv2.serving.options import Options
from yolopv2.serving.settings import Limits

State = Literal["queued", "running", "done", "failed", "cancelled"]

VIDEO, WORK, SCENES, ANNOTATED = "input.mp4", "work", "scenes.jsonl", "annotated.mp4"
"""Names in a job's folder; the video is called so whatever it is, for FFmpeg looks at the content."""

_DESCRIPTION = "job.json"
_SPARE_BYTES = 256 << 20
"""Left free on the disk, whatever the limit says."""


_MOST_STARTS = 3
"""A video that brings the service down must not do so for ever."""

_RESTARTED = {"state": "queued", "frames": 0, "started": None}
_GIVEN_UP = {"state": "failed", "error": f"the service was killed {_MOST_STARTS} times while it looked at this video"}


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(timezone.utc)


class JobOptions(Options):
    """How to look at a video, and what to make of it."""

    annotate: bool = Field(default=True, description="Whether to make an annotated video.")
    name: str | None = Field(default=None, max_length=255, description="What the scenes are to call the video.")


class Job(BaseModel):
    """One job."""

    model_config = ConfigDict(frozen=True)

    id: str
    state: State = "queued"
    name: str = Field(description="What the scenes call the video.")
    options: JobOptions
    starts: int = Field(default=0, description="How often it was begun: again when the service ended meanwhile.")
    frames: int = Field(default=0, description="Frames looked at.")
    total: int | None = Field(
        default=None, description="Frames in the video, estimated; null where there is no telling."
    )
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    error: str | None = Field(default=None, description="Why it failed.")
    remarks: list[str] = Field(default=[], description="What was wrong with the video on the way.")

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "failed", "cancelled")


class JobStore:
    """The jobs of one service.

    Args:
        folder: Where they are kept; made if it does not exist.
        limits: How many, and how many bytes.

    Raises:
        YolopError: The folder cannot be used, or another service uses it.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder, self._limits = folder, limits
        self._jobs: dict[str, Job] = {}
        self._coming: set[str] = set()
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock_file = _lock_folder(folder)
            self._recover()
        except OSError as error:
            raise YolopError(f"the folder of jobs {folder} cannot be used: {error.strerror or error}") from None

    def _recover(self) -> None:
        """Reads what there is: finished jobs stay, interrupted ones are to start again, unfinished uploads go."""
        for place in sorted(entry for entry in self.folder.iterdir() if entry.is_dir()):
            shutil.rmtree(place / WORK, ignore_errors=True)
            try:
                job = Job.model_validate_json((place / _DESCRIPTION).read_bytes())
            except FileNotFoundError:
                shutil.rmtree(place, ignore_errors=True)
                continue
            except (ValidationError, OSError):
                LOG.warning("%s is no job of this program: left alone", place)
                continue
            if job.state == "running":
                job = job.model_copy(update=_RESTARTED if job.starts < _MOST_STARTS else _GIVEN_UP)
                self._write(job)
            self._jobs[job.id] = job

    def close(self) -> None:
        """Leaves the folder to another service."""
        os.close(self._lock_file)

    def __iter__(self) -> Iterator[Job]:
        """All jobs, the oldest first. Takes no lock, as the event loop may not wait for a disk."""
        return iter(sorted(self._jobs.values(), key=lambda job: job.created))

    def __contains__(self, identity: object) -> bool:
        """Whether there is a job of that id."""
        return identity in self._jobs

    def __getitem__(self, identity: str) -> Job:
        """The job of an id.

        Raises:
            Problem: 404, there is none.
        """
        job = self._jobs.get(identity)
        if job is None:
            raise Problem(404, f"there is no job {identity[:40]!r}; GET /v1/jobs lists those there are")
        return job

    def path(self, job: Job, name: str) -> Path:
        """A file of a job."""
        return self.folder / job.id / name

    def check_disk(self, more: int = 0) -> None:
        """Whether so many bytes more may be written.

        Raises:
            Problem: 507, there is no room for them.
        """
        used = sum(path.stat().st_size for path in _files(self.folder))
        if used + more > self._limits.disk_bytes:
            raise Problem(507, "the jobs take all the disk space they may: delete finished ones first")
        if shutil.disk_usage(self.folder).free < more + _SPARE_BYTES:
            raise Problem(507, "this machine's disk is full")

    def new_folder(self) -> str:
        """Makes the folder of a job whose video is about to come; `add` or `remove_files` follows.

        Returns:
            The job's id.

        Raises:
            Problem: 429, too many jobs wait; 507, too many are kept, or too many bytes.
        """
        self.check_disk()
        with self._lock:
            coming = len(self._coming)
            if sum(not job.is_over for job in self._jobs.values()) + coming >= self._limits.jobs_waiting:
                raise Problem(429, "too many jobs wait already: try again later", 30)
            if len(self._jobs) + coming >= self._limits.jobs:
                raise Problem(507, f"{len(self._jobs)} jobs are kept: delete finished ones first")
            identity = secrets.token_hex(8)
            (self.folder / identity).mkdir()
            self._coming.add(identity)
        return identity

    def add(self, job: Job) -> None:
        """Keeps a new job, whose video is in its folder."""
        with self._lock:
            self._write(job)
            self._jobs[job.id] = job
            self._coming.discard(job.id)

    def change(self, identity: str, keep: bool = True, **changes: Any) -> Job | None:
        """Changes a job, unless it is over or gone.

        Args:
            identity: Its id.
            keep: Whether to write it to the disk; progress need not be.
            changes: Its new attributes.

        Returns:
            The job as it is then, or None if there was nothing to change.
        """
        with self._lock:
            job = self._jobs.get(identity)
            if job is None or job.is_over:
                return None
            job = job.model_copy(update=changes)
            if keep:
                self._write(job)
            self._jobs[identity] = job
            return job

    def forget(self, identity: str) -> None:
        """Drops a job that is there or not; its files stay until `remove_files`."""
        with self._lock:
            self._jobs.pop(identity, None)
            (self.folder / identity / _DESCRIPTION).unlink(missing_ok=True)

    def remove_files(self, identity: str) -> None:
        """Removes the folder of a job that is forgotten, or of an upload that failed."""
        self._coming.discard(identity)
        shutil.rmtree(self.folder / identity, ignore_errors=True)

    def _write(self, job: Job) -> None:
        write_text_atomic(self.folder / job.id / _DESCRIPTION, job.model_dump_json())


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder; some may vanish meanwhile."""
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                yield path


def _lock_folder(folder: Path) -> int:
    """Keeps a second service out of a folder, for as long as the returned file is open."""
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        import fcntl
    except ImportError:  # Windows, where nothing keeps it out
        return lock
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise YolopError(f"another service keeps its jobs in {folder}: choose another folder by --jobs") from None
    return lock
