"""The thread that works off jobs, one video after the other."""

import os
import shutil
import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

from yolopv2.errors import YolopError
from yolopv2.inference.video import ahead
from yolopv2.media import Frame, VideoWriter, open_source
from yolopv2.media.frame import Problem as InputProblem
from yolopv2.scene import Scene
from yolopv2.serving.errors import LOG, UNEXPECTED, Problem
from yolopv2.serving.jobs.store import ANNOTATED, SCENES, VIDEO, WORK, Job, JobStore, now
from yolopv2.serving.metrics import Metrics
from yolopv2.serving.models import Served
from yolopv2.serving.settings import Limits

_FRAMES_BETWEEN_CHECKS = 50
_UNKNOWN_RATE = 25.0


class _Interrupted(Exception):  # noqa: N818 - it is no error
    """The job was cancelled, or the service is to stop."""


class Runner:
    """Works off the queued jobs of a store in a thread, the oldest first.

    Args:
        store: The jobs.
        load: Gives the model of a name.
        limits: What a video may take.
        metrics: Told of jobs that come to an end.
    """

    def __init__(self, store: JobStore, load: Callable[[str | None], Served], limits: Limits, metrics: Metrics) -> None:
        self._store, self._load, self._limits, self._metrics = store, load, limits, metrics
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._running: str | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="yolopv2-jobs", daemon=True)

    def start(self) -> None:
        """Begins, with what an earlier service left."""
        self._thread.start()

    def wake(self) -> None:
        """Tells of a new job."""
        self._wake.set()

    def cancel(self, identity: str) -> None:
        """Ends a job; what it made so far goes.

        Raises:
            Problem: 404, there is none; 409, it is over already.
        """
        job = self._store[identity]
        if self._store.change(identity, state="cancelled", finished=now()) is None:
            raise Problem(409, f"the job is {job.state} already")
        self._metrics.jobs.labels("cancelled").inc()

    def delete(self, identity: str) -> None:
        """Ends a job if it runs, and removes all of it.

        Raises:
            Problem: 404, there is none.
        """
        self._store[identity]  # raises if there is none
        with self._lock:
            self._store.forget(identity)
            runs = self._running == identity
        if not runs:
            self._store.remove_files(identity)

    def stop(self) -> None:
        """Ends soon; the job under way starts again the next time."""
        self._stopping.set()
        self._wake.set()

    def join(self) -> None:
        """Waits for the end."""
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            job = next((job for job in self._store if job.state == "queued"), None)
            if job is None:
                self._wake.wait()
            else:
                self._run(job)

    def _run(self, job: Job) -> None:
        with self._lock:
            started = self._store.change(job.id, state="running", started=now(), starts=job.starts + 1)
            self._running = job.id if started else None
        if started is None:
            return
        try:
            remarks = self._look(job)
            self._end(job, state="done", remarks=remarks)
        except _Interrupted:
            self._store.change(job.id, state="queued", frames=0, started=None, starts=job.starts)  # unless cancelled
        except (YolopError, Problem) as error:
            self._end(job, state="failed", error=str(error).replace(str(self._store.folder), ""))
        except Exception:
            LOG.exception("job %s failed", job.id)
            self._end(job, state="failed", error=UNEXPECTED)
        with self._lock:
            self._running = None
            shutil.rmtree(self._store.path(job, WORK), ignore_errors=True)
            if job.id not in self._store:
                self._store.remove_files(job.id)

    def _end(self, job: Job, state: str, **changes: Any) -> None:
        if self._store.change(job.id, state=state, finished=now(), **changes):
            self._metrics.jobs.labels(state).inc()

    def _look(self, job: Job) -> list[str]:
        """Looks at the video of a job, and leaves whole results.

        Returns:
            What was wrong with the video on the way.
        """
        work = self._store.path(job, WORK)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        problems: list[InputProblem] = []
        with ExitStack() as opened:
            source = opened.enter_context(open_source(str(self._store.path(job, VIDEO)), problems.append))
            lines = opened.enter_context((work / SCENES).open("w", encoding="utf-8"))
            video: VideoWriter | None = None
            scenes = opened.enter_context(closing(self._scenes(job, ahead(source, depth=3))))
            for count, (frame, scene) in enumerate(scenes):
                lines.write(scene.to_json() + "\n")
                if job.options.annotate:
                    if video is None:
                        height, width = frame.image.shape[:2]
                        path = work / ANNOTATED
                        video = opened.enter_context(VideoWriter(path, frame.fps or _UNKNOWN_RATE, width, height))
                    video.write(scene.draw())
                if count % _FRAMES_BETWEEN_CHECKS == 0:
                    self._store.check_disk()
                if self._stopping.is_set() or self._store.change(job.id, keep=False, frames=count + 1) is None:
                    raise _Interrupted
        if fatal := [problem.message for problem in problems if problem.fatal]:
            raise YolopError(f"{job.name}: {fatal[0]}")
        for name in (SCENES, ANNOTATED):
            if (work / name).exists():
                os.replace(work / name, self._store.path(job, name))
        return [problem.message for problem in problems]

    def _scenes(self, job: Job, frames: Generator[Frame, None, None]) -> Generator[tuple[Frame, Scene], None, None]:
        """Frames with their scenes; a few at a time share batches with whoever else asks."""
        served = self._load(job.options.model)
        thresholds = served.model.thresholds(**job.options.thresholds())
        waiting: deque[tuple[Frame, Future[Scene]]] = deque()
        with closing(frames):
            for read in frames:
                pixels, limit = read.image.shape[0] * read.image.shape[1], self._limits.pixels
                if pixels > limit:
                    raise YolopError(f"frames of {pixels} pixels are more than the {limit} that are taken")
                frame = replace(read, source=job.name)
                waiting.append((frame, served.batcher.submit(frame, thresholds)))
                if len(waiting) > 2:
                    frame, scene = waiting.popleft()
                    yield frame, scene.result()
            for frame, scene in waiting:
                yield frame, scene.result()
