"""Dynamic batching: pictures of whoever asks are looked at together."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field

from yolopv2.inference import Predictor, Thresholds
from yolopv2.media import Frame
from yolopv2.scene import Scene


@dataclass(frozen=True, eq=False)
class _Ask:
    frame: Frame
    thresholds: Thresholds
    future: "Future[Scene]" = field(default_factory=Future)


class Batcher:
    """Looks at frames that come one by one from many threads.

    An engine that looks at one canvas at a time gets batches. One that looks at several side by side, each on few
    cores, gets a frame whenever one of its streams is free: then no stream waits for the slowest frame of a batch. A
    scene is the same whatever else is in its batch. How many frames wait is up to those who submit them: the service's
    `Budget` for requests, a few for each job and live stream.

    Args:
        predictor: What looks; nothing else may use it.
        most: Frames in a batch.
        wait: Seconds a frame waits for others of its batch.
        expects: Whether, with this many frames gathered, more are on their way; without that there is no waiting.
        watch: Told of every batch: its frames, the seconds it took, and how many are looked at side by side.

    Example:
        >>> import numpy as np
        >>> from yolopv2 import YOLOPv2
        >>> batcher = Batcher(YOLOPv2("nano").predictor, most=8, wait=0.004)
        >>> futures = [batcher.submit(Frame(np.zeros((90, 160, 3), np.uint8), name), Thresholds()) for name in "ab"]
        >>> [future.result().source for future in futures]
        ['a', 'b']
        >>> batcher.close()
    """

    def __init__(
        self,
        predictor: Predictor,
        most: int,
        wait: float,
        expects: Callable[[int], bool] = lambda gathered: True,
        watch: Callable[[int, float, int], None] = lambda frames, seconds, streams: None,
    ) -> None:
        self._streams = predictor.runtime.streams
        self._predictor, self._most, self._wait = predictor, most if self._streams == 1 else 1, wait
        self._expects, self._watch = expects, watch
        self._waiting: queue.SimpleQueue[_Ask | None] = queue.SimpleQueue()
        self._looking, self._lock = 0, threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"yolopv2-look-{number}", daemon=True)
            for number in range(self._streams)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, frame: Frame, thresholds: Thresholds) -> "Future[Scene]":
        """Asks for what is seen in a frame.

        Args:
            frame: The frame.
            thresholds: What counts as seen; frames with the same ones are looked at together.

        Returns:
            The scene to come. Cancelled before its turn, the frame is not looked at.
        """
        ask = _Ask(frame, thresholds)
        self._waiting.put(ask)
        return ask.future

    def close(self) -> None:
        """Finishes what was submitted, and ends."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        for gathered in self._batches():
            asks = [ask for ask in gathered if ask.future.set_running_or_notify_cancel()]
            began = time.perf_counter()
            for thresholds in dict.fromkeys(ask.thresholds for ask in asks):
                self._look([ask for ask in asks if ask.thresholds == thresholds])
            if asks:
                self._watch(len(asks), time.perf_counter() - began, self._streams)

    def _batches(self) -> Iterator[list[_Ask]]:
        while (ask := self._waiting.get()) is not None:
            gathered, ending = [ask], False
            deadline = time.monotonic() + self._wait
            while len(gathered) < self._most and not ending:
                patience = deadline - time.monotonic() if self._expects(len(gathered)) else 0.0
                try:
                    following = self._waiting.get(timeout=patience) if patience > 0 else self._waiting.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    ending = True
                else:
                    gathered.append(following)
            yield gathered
            if ending:
                return

    def _look(self, asks: list[_Ask]) -> None:
        """Looks at frames together; where that fails one by one, so that a bad one does no harm to the others."""
        try:
            with self._alone() as alone:
                scenes = self._predictor([ask.frame for ask in asks], asks[0].thresholds, alone)
        except Exception as error:  # carried to whoever asked
            if len(asks) == 1:
                asks[0].future.set_exception(error)
            else:
                for ask in asks:
                    self._look([ask])
            return
        for ask, scene in zip(asks, scenes, strict=True):
            ask.future.set_result(scene)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether a frame that comes to be looked at has the engine to itself."""
        with self._lock:
            self._looking += 1
            alone = self._streams == 1 or (self._looking == 1 and self._waiting.empty())
        try:
            yield alone
        finally:
            with self._lock:
                self._looking -= 1
