"""The parts of a running service that its addresses share."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar, cast

from starlette.requests import HTTPConnection

from yolopv2.model import YOLOPv2
from yolopv2.serving.batching import Batcher
from yolopv2.serving.budget import Budget
from yolopv2.serving.errors import LOG
from yolopv2.serving.jobs.runner import Runner
from yolopv2.serving.jobs.store import JobStore
from yolopv2.serving.metrics import Metrics
from yolopv2.serving.models import Models, OpenModel, Served
from yolopv2.serving.settings import Settings

T = TypeVar("T")


class Service:
    """A service: settings, models, what requests hold, jobs, counters.

    Blocking work runs in threads of its own kinds, so that a slow disk or a slow server elsewhere does not keep
    pictures from being decoded.

    Args:
        settings: What it is started with.
        open_model: Loads weights; if None, `YOLOPv2` with the settings.

    Attributes:
        ready: Whether the default model has looked at a frame, and the service is not about to stop.
        stopping: Set when the service is to stop: event streams and live streams end then.
        requests: Requests under way.
        streams: WebSockets and event streams under way.

    Raises:
        YolopError: The default model cannot be loaded, or the folder of jobs not be used.
    """

    def __init__(self, settings: Settings, open_model: OpenModel | None = None) -> None:
        self.settings = settings
        limits = settings.limits
        self.budget = Budget(limits.queue, limits.memory_bytes)
        self.metrics = Metrics(self.budget)
        self.models = Models(settings.weights, open_model or self._open_model, self._open_batcher)
        self.jobs = JobStore(settings.jobs_folder, limits)
        try:
            self.models.load()
        except BaseException:
            self.jobs.close()
            raise
        self.runner = Runner(self.jobs, self.models.load_for_stranger, limits, self.metrics)
        self.ready = False
        self.stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.requests = self.streams = 0
        cores = os.cpu_count() or 1
        self._pictures = ThreadPoolExecutor(max(2, cores), "yolopv2-pictures")
        self._files = ThreadPoolExecutor(8, "yolopv2-files")
        self._fetching = ThreadPoolExecutor(8, "yolopv2-fetching")

    async def start(self) -> None:
        """Warms the default model up, and goes on with the jobs that an end of the service interrupted."""
        self._loop = asyncio.get_running_loop()
        self.runner.start()
        await self._in(self._files, self.models.warm_up)
        self.ready = not self.stopping.is_set()

    def stop(self) -> None:
        """Takes on nothing new; what is under way goes on. May be called from a signal's handler, or any thread."""
        self.ready = False
        self.runner.stop()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.stopping.set)

    def close(self) -> None:
        """Ends, when the last request is answered: the job under way is put back, to start again next time."""
        self.stop()
        self.runner.join()
        self.models.close()
        for pool in (self._pictures, self._files, self._fetching):
            pool.shutdown(wait=False, cancel_futures=True)
        self.jobs.close()

    async def with_pictures(self, work: Callable[..., T], *arguments: object) -> T:
        """Runs work on pictures in a thread: as many at a time as there are cores."""
        return await self._in(self._pictures, work, *arguments)

    async def with_files(self, work: Callable[..., T], *arguments: object) -> T:
        """Runs work that waits for the disk in a thread."""
        return await self._in(self._files, work, *arguments)

    async def fetching(self, work: Callable[..., T], *arguments: object) -> T:
        """Runs work that waits for another server in a thread."""
        return await self._in(self._fetching, work, *arguments)

    async def model(self, name: str | None) -> Served:
        """The model of that name, loaded if it is not.

        Raises:
            Problem: 404, there is none; 503, it cannot be loaded.
        """
        loaded = self.models.loaded(name)
        return loaded if loaded is not None else await self._in(self._files, self.models.load_for_stranger, name)

    async def _in(self, pool: Executor, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)

    def _open_model(self, weights: str) -> YOLOPv2:
        settings = self.settings
        model = YOLOPv2(weights, settings.device, settings.runtime, settings.size, settings.precision)
        LOG.info("loaded %r", model)
        return model

    def _open_batcher(self, model: YOLOPv2) -> Batcher:
        limits = self.settings.limits
        return Batcher(
            model.predictor,
            limits.batch,
            limits.wait,
            expects=lambda gathered: self.budget.images > gathered,
            watch=self.metrics.watch_batch,
        )


def service_of(connection: HTTPConnection) -> Service:
    """The service that a request or WebSocket belongs to."""
    return cast(Service, connection.app.state.service)
