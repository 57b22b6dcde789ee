"""Frames scored in several processes; their records together give the numbers of one process to the last digit."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from yolopv2.data.dataset import Dataset
from yolopv2.errors import YolopError
from yolopv2.evaluation.evaluate import Outcome, conclude, facts_of, score_frames, scorer_of
from yolopv2.evaluation.frame import Scorer
from yolopv2.evaluation.result import Evaluation
from yolopv2.inference.predictor import Predictor

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

Open = Callable[[], tuple[Predictor, Dataset]]
"""Loads the network and the data set; it goes to other processes, so it must be picklable."""

_CHUNK = 8
_process: tuple[Predictor, Dataset] | None = None


def evaluate_in_processes(
    predictor: Predictor,
    dataset: Dataset,
    protocol: str,
    load: Open,
    workers: int,
    progress: Callable[[], object] | None = None,
) -> Evaluation:
    """As `yolopv2.evaluation.evaluate.evaluate`, in several processes that share the processor's cores.

    Args:
        predictor: With the network; only asked what it is.
        dataset: One split; only its lane width is measured here.
        protocol: Name of the protocol.
        load: Loads both in each process.
        workers: How many processes.
        progress: Called after each frame.

    Raises:
        YolopError: As `evaluate`, or a process could not load them or was killed.
    """
    scorer = scorer_of(predictor, dataset, protocol)
    outcomes = _score_all(load, scorer, len(dataset), workers, progress)
    return conclude(outcomes, scorer, facts_of(predictor))


def _score_all(
    load: Open, scorer: Scorer, frames: int, workers: int, progress: Callable[[], object] | None
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    context = multiprocessing.get_context("spawn")
    counter = context.Value("i", 0)
    pool = ProcessPoolExecutor(workers, context, _start, (load, counter, workers))
    try:
        chunks = [range(start, min(start + _CHUNK, frames)) for start in range(0, frames, _CHUNK)]
        for future in as_completed([pool.submit(_score, scorer, chunk) for chunk in chunks]):
            for outcome in future.result():
                outcomes.append(outcome)
                if progress is not None:
                    progress()
    except BrokenProcessPool:
        raise YolopError(
            "a process that scored frames ended: there may be too little memory for as many; take fewer workers"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)
    return outcomes


def _start(load: Open, counter: "Synchronized[int]", workers: int) -> None:
    global _process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which ends the processes
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with counter.get_lock():
        number = counter.value
        counter.value += 1
    _take_cores(number, workers)
    _process = load()


def _end_with_parent() -> None:
    """A parent that is killed cannot end its processes, which would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _take_cores(number: int, workers: int) -> None:
    """Gives each process its own cores: engines that all use all of them slow each other down."""
    if not hasattr(os, "sched_getaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if workers <= len(cores):
        os.sched_setaffinity(0, cores[number::workers])


def _score(scorer: Scorer, indices: Sequence[int]) -> list[Outcome]:
    assert _process is not None, "a process scores only after it has loaded"
    predictor, dataset = _process
    return list(score_frames(predictor, dataset, scorer, indices))
