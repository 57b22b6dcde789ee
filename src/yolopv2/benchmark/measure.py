"""Measures setups in turn, round by round, each in a process of its own."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.benchmark.machine import engine_versions, machine
from yolopv2.benchmark.process import LoadedProcess, resident_memory
from yolopv2.benchmark.report import LeftOut, Report, Row, Setup
from yolopv2.data.dataset import open_dataset
from yolopv2.data.synthetic import render_scene
from yolopv2.errors import YolopError
from yolopv2.model import YOLOPv2

Look = Callable[[NDArray[np.uint8]], object]

ROUNDS = 10
_BURST = 0.2
"""Seconds of work of one setup in one round."""

_LEAST = 3
"""Frames of one setup in one round, at least; the first fills the caches again and does not count."""

_SEEDS = (7, 119)
_SCORES = ("ap50", "drivable_iou", "lane_iou")


class Measured:
    """Frame times of something in a process, round by round.

    Args:
        load: Loads what looks at a frame, see `LoadedProcess`.
        frames: What it looks at in turn, uint8 ``[H, W, 3]``.
        threads: Cores it may use; all if None.

    Attributes:
        first_frame: Seconds from the start of a process to its first result. A process before it has filled the caches.
        rounds: Seconds of each frame, by round.
        process: Where it is loaded.

    Raises:
        YolopError: It cannot be loaded, or does not look.
    """

    def __init__(
        self, load: Callable[[], Look], frames: Sequence[NDArray[np.uint8]], threads: int | None = None
    ) -> None:
        self._frames = frames
        self.rounds: list[list[float]] = []
        with LoadedProcess(load, threads) as forerunner:
            forerunner.call(look, frames[0])
        self.process = LoadedProcess(load, threads)
        try:
            self.process.call(look, frames[0])
            self.first_frame = time.perf_counter() - self.process.started
            self.process.call(look_for, frames, _BURST)  # engines compile and choose kernels in their first frames
        except BaseException:
            self.process.close()
            raise

    def go_on(self) -> None:
        """One round more."""
        self.rounds.append(self.process.call(look_for, self._frames, _BURST))

    @property
    def medians(self) -> NDArray[np.float64]:
        """Median milliseconds of a frame, by round."""
        return np.array([1000 * np.median(seconds) for seconds in self.rounds])


def look(looks: Look, frame: NDArray[np.uint8]) -> None:
    """Looks at one frame."""
    looks(frame)


def look_for(looks: Look, frames: Sequence[NDArray[np.uint8]], seconds: float) -> list[float]:
    """Looks at frames in turn for some time, and gives the seconds of each but the first."""
    times: list[float] = []
    while len(times) < _LEAST or sum(times) < seconds:
        began = time.perf_counter()
        looks(frames[len(times) % len(frames)])
        times.append(time.perf_counter() - began)
    return times[1:]


def street_frames(width: int = 1280, height: int = 720) -> list[NDArray[np.uint8]]:
    """Generated frames to look at, RGB."""
    return [render_scene(seed, height, width).image for seed in _SEEDS]


def measure(
    setups: Sequence[Setup],
    rounds: int = ROUNDS,
    frame: tuple[int, int] = (1280, 720),
    data: str | None = None,
    progress: Callable[[], object] = lambda: None,
) -> Report:
    """Measures setups against each other.

    They take turns, a fifth of a second each, so that a slow phase of the machine meets all of them; ratios are taken
    within a round.

    Args:
        setups: What is measured; the first that can be is the yardstick.
        rounds: How many turns each has.
        frame: Width and height of the frames, pixels.
        data: The YAML of a data set to score them on as well.
        progress: Called `steps` times.

    Raises:
        YolopError: None can be measured, or there is no such data set.
    """
    if data is not None:
        open_dataset(Path(data), "val")  # before the work, not after it
    frames = street_frames(*frame)
    left_out: list[LeftOut] = []
    measured: dict[Setup, Measured] = {}
    scores: dict[Setup, dict[str, float]] = {}
    with ExitStack() as stack:
        for setup in dict.fromkeys(setups):
            try:
                measured[setup] = Measured(partial(open_model, setup), frames, setup.threads)
                stack.callback(measured[setup].process.close)
            except YolopError as error:
                left_out.append(LeftOut(setup=setup, reason=str(error)))
            progress()
        for _ in range(rounds):
            for setup in list(measured):
                try:
                    measured[setup].go_on()
                except YolopError as error:
                    left_out.append(LeftOut(setup=setup, reason=str(error)))
                    del measured[setup]
            progress()
        for setup, each in measured.items() if data else ():
            scores[setup] = each.process.call(_score, data)
            progress()
        rows = [_row(setup, each, measured, scores.get(setup, {})) for setup, each in measured.items()]
    if not rows:
        raise YolopError("\n".join(["nothing could be measured:", *(f"  {e.setup}: {e.reason}" for e in left_out)]))
    return Report(
        machine=machine(),
        versions=engine_versions(),
        frame=frame,
        date=datetime.now(timezone.utc).astimezone().isoformat(timespec="seconds"),
        rows=tuple(rows),
        left_out=tuple(left_out),
    )


def steps(setups: Sequence[Setup], rounds: int, data: str | None) -> int:
    """How often `measure` tells of progress at most."""
    different = len(set(setups))
    return different + rounds + (different if data else 0)


def open_model(setup: Setup) -> YOLOPv2:
    """The model of a setup."""
    return YOLOPv2(setup.weights, setup.device, setup.runtime, setup.size, setup.precision)


def ratios(first: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float, float]:
    """How many times as quick the other is, as median and quartiles over the rounds.

    Args:
        first: Milliseconds of the yardstick, by round.
        other: Those of the other.

    Example:
        >>> ratios(np.array([20.0, 40.0, 20.0]), np.array([10.0, 20.0, 10.0]))
        (2.0, 2.0, 2.0)
    """
    low, middle, high = np.percentile(first / other, [25, 50, 75])
    return float(middle), float(low), float(high)


def _row(setup: Setup, each: Measured, measured: dict[Setup, Measured], scores: dict[str, float]) -> Row:
    p50, p90 = np.percentile([1000 * seconds for turn in each.rounds for seconds in turn], [50, 90])
    ratio, low, high = ratios(next(iter(measured.values())).medians, each.medians)
    return Row(
        setup=setup,
        engine=each.process.call(_engine),
        ms=tuple(each.medians.round(3).tolist()),
        p50=p50,
        p90=p90,
        ratio=ratio,
        ratio_low=low,
        ratio_high=high,
        memory=each.process.call(resident_memory),
        first_frame=each.first_frame,
        scores=scores,
    )


def _engine(model: YOLOPv2) -> str:
    return model.predictor.runtime.description


def _score(model: YOLOPv2, data: str) -> dict[str, Any]:
    metrics = model.evaluate(data).metrics
    return {name: metrics[name] for name in _SCORES if name in metrics}
