"""How quick a network is on this machine, stage by stage, measured beside its accuracy."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from yolopv2.data.dataset import Dataset
from yolopv2.errors import YolopError
from yolopv2.inference.postprocess import Thresholds, to_scene
from yolopv2.inference.predictor import Predictor
from yolopv2.inference.preprocess import letterbox_batches
from yolopv2.media import Frame

WARM_UP, COUNTED = 10, 50
_BATCH = 8


def measure_speed(predictor: Predictor, dataset: Dataset) -> dict[str, Any]:
    """Times frames of a data set from pixels to `Scene`, reading files not included.

    Args:
        predictor: With the network.
        dataset: Its first eight readable frames are looked at in turn.

    Returns:
        ``latency_ms``: ``p50``, ``p90``, ``p99`` of one frame at a time, for the ``whole`` and its stages
        ``preprocess`` (letterbox), ``network`` (runtime, decoding included) and ``postprocess`` (suppression, masks to
        the frame); ``throughput``: frames per second in batches of ``batch``; ``warm_up`` and ``counted`` frames;
        ``thresholds``; ``frame`` (width and height); ``size``; ``runtime`` (engine, device, precision); ``cores`` that
        this process may use, all of which the CPU engines use unless told otherwise.
    """
    frames = list(islice(_readable(dataset), _BATCH))
    thresholds = Thresholds()
    stages: dict[str, list[float]] = {"preprocess": [], "network": [], "postprocess": [], "whole": []}
    for number in range(WARM_UP + COUNTED):
        frame = frames[number % len(frames)]
        for stage, seconds in zip(stages, stage_seconds(predictor, frame, thresholds), strict=True):
            stages[stage].append(seconds)
    batch = (frames * _BATCH)[:_BATCH]
    rounds = max(COUNTED // _BATCH, 1)
    predictor(batch, thresholds)
    seconds = _timed(lambda: [predictor(batch, thresholds) for _ in range(rounds)])
    height, width = frames[0].image.shape[:2]
    return {
        "latency_ms": {stage: _percentiles(times[WARM_UP:]) for stage, times in stages.items()},
        "throughput": rounds * _BATCH / seconds,
        "batch": _BATCH,
        "warm_up": WARM_UP,
        "counted": COUNTED,
        "thresholds": {"confidence": thresholds.conf, "nms_iou": thresholds.iou, "max_det": thresholds.max_det},
        "frame": [width, height],
        "size": predictor.size,
        "runtime": predictor.runtime.description,
        "cores": available_cores(),
    }


def available_cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _readable(dataset: Dataset) -> Iterator[Frame]:
    for index in range(len(dataset)):
        try:
            sample = dataset[index]
        except YolopError:
            continue  # evaluation names it
        yield Frame(sample.image, sample.source, index)


def stage_seconds(predictor: Predictor, frame: Frame, thresholds: Thresholds) -> list[float]:
    """Seconds of preprocessing, network, postprocessing and all of it, for one frame."""
    moments = [time.perf_counter()]
    (batch,) = letterbox_batches([frame.image], predictor.size)
    moments.append(time.perf_counter())
    candidates = predictor.runtime(batch.canvases)
    moments.append(time.perf_counter())
    to_scene(candidates, 0, batch.letterboxes[0], thresholds, predictor.runtime.names, frame)
    moments.append(time.perf_counter())
    return [*np.diff(moments).tolist(), moments[-1] - moments[0]]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    p50, p90, p99 = np.percentile(np.array(seconds) * 1000, [50, 90, 99])
    return {"p50": float(p50), "p90": float(p90), "p99": float(p99)}
