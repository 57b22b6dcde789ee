"""Where the time of one frame goes: the bundled nano on the CPU, a generated 1280x720 frame in, a Scene out.

    python benchmarks/frame.py [--write]

Prints medians over 50 frames after 10 that are not counted; ``--write`` also puts them into benchmarks/results.md.
"""

import os
import platform
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sections import write_section

from yolopv2 import YOLOPv2
from yolopv2.benchmark.machine import processor_name
from yolopv2.data.synthetic import render_scene
from yolopv2.inference.postprocess import Thresholds, to_scene
from yolopv2.inference.preprocess import letterbox_batches
from yolopv2.media import Frame

WARM_UP, COUNTED = 10, 50


def median_ms(work: Callable[[], Any]) -> float:
    """Median time of one call in milliseconds."""
    times = []
    for _ in range(WARM_UP + COUNTED):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times[WARM_UP:]) * 1000)


def measure(precision: str) -> dict[str, float]:
    """Milliseconds by stage."""
    model = YOLOPv2("nano", precision=precision)
    image = render_scene(7).image
    frame, thresholds = Frame(image, "generated"), Thresholds()
    (batch,) = letterbox_batches([image], 640)
    candidates = model.predictor.runtime(batch.canvases)
    (letterbox,) = batch.letterboxes

    def post() -> Any:
        return to_scene(candidates, 0, letterbox, thresholds, model.names, frame)

    scene = post()
    return {
        "letterbox": median_ms(lambda: letterbox_batches([image], 640)),
        "network": median_ms(lambda: model.predictor.runtime(batch.canvases)),
        "to scene": median_ms(post),
        "whole frame": median_ms(lambda: model.predictor([frame], thresholds)),
        "draw (not in the whole)": median_ms(scene.draw),
        "JSON line (not in the whole)": median_ms(scene.to_json),
    }


def table() -> str:
    """The results as Markdown."""
    from yolopv2.inference.runtimes.openvino import cpu_precisions

    columns = {name: measure(name) for name in ("float32", "bfloat16") if name in cpu_precisions()}
    lines = [f"| median ms | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for stage in next(iter(columns.values())):
        lines.append(f"| {stage} | {' | '.join(f'{values[stage]:.2f}' for values in columns.values())} |")
    return "\n".join(lines)


if __name__ == "__main__":
    results = table()
    print(results)
    if "--write" in sys.argv:
        here = f"{processor_name()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
        write_section("One frame of the bundled nano", f"OpenVINO, batch 1, 1280x720 frame. {here}.\n\n{results}")
