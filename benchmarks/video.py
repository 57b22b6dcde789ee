"""Where the time of a video goes: every stage alone, then all together, as `yolopv2 predict` runs them.

    python benchmarks/video.py [VIDEO] [--frames 200] [--precision auto]

Without a video a generated drive of 1280x720 is rendered first. Prints frames per second of each stage alone (the
network as it runs in a stream: side by side on all cores), end to end without and with drawing and encoding, and how
much longer a frame takes end to end than in the slowest stage alone.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from yolopv2 import YOLOPv2
from yolopv2.data.synthetic import Drive
from yolopv2.inference.postprocess import Thresholds
from yolopv2.inference.preprocess import letterbox_batches
from yolopv2.inference.results import Results
from yolopv2.inference.video import ahead, in_parallel
from yolopv2.media import Frame, VideoWriter, open_source
from yolopv2.scene import Scene

HELD = 40
"""Frames kept in memory, over which the stages alone go round."""


def frames_per_second(work: Callable[[], Iterable[Any]]) -> float:
    """Items per second, the first few (starting threads, compiling) not counted."""
    items = iter(work())
    for _ in range(5):
        next(items)
    began = time.perf_counter()
    count = sum(1 for _ in items)
    return count / (time.perf_counter() - began)


def stages_alone(
    model: YOLOPv2, frames: list[Frame], scenes: list[Scene], count: int, folder: Path
) -> dict[str, float]:
    """Frames per second of each stage on its own, from memory to memory."""
    runtime = model.predictor.runtime
    canvases = [letterbox_batches([frame.image], model.predictor.size)[0].canvases for frame in frames]
    drawn = [scene.draw() for scene in scenes]
    turns = [number % len(frames) for number in range(count)]

    def network() -> Iterable[Any]:
        return in_parallel(lambda i: runtime(canvases[i], alone=runtime.streams == 1), turns, runtime.streams)

    def encode() -> Iterable[Any]:
        height, width = frames[0].image.shape[:2]
        with VideoWriter(folder / "alone.mp4", 25, width, height) as video:
            for i in turns:
                yield video.write(drawn[i])

    return {
        "letterbox": frames_per_second(lambda: (letterbox_batches([frames[i].image], 640) for i in turns)),
        "network": frames_per_second(network),
        "draw": frames_per_second(lambda: (scenes[i].draw() for i in turns)),
        "JSON line": frames_per_second(lambda: (Scene(**fields(scenes[i])).to_json() for i in turns)),
        "encode": frames_per_second(encode),
    }


def fields(scene: Scene) -> dict[str, Any]:
    """What makes a scene, without what has been derived from it."""
    return {name: getattr(scene, name) for name in scene.__dataclass_fields__}


def end_to_end(model: YOLOPv2, video: Path, count: int, formats: set[str], folder: Path) -> float:
    """Frames per second from the file to what is written."""

    def written() -> Iterable[None]:
        with open_source(video) as source, Results(folder, formats) as results:
            scenes = model.predictor.stream(islice(source, count), Thresholds())
            for prepared in ahead(results.prepared(scenes)):
                yield results.add(prepared)

    return frames_per_second(written)


def decode(video: Path, count: int) -> Iterable[Frame]:
    """The first frames of a video."""
    with open_source(video) as source:
        yield from islice(source, count)


def measure(video: Path, count: int, precision: str, folder: Path) -> None:
    """Prints the table."""
    model = YOLOPv2("nano", precision=precision)
    frames = list(decode(video, HELD))
    scenes = [scene for _, scene in model.predictor.stream(frames, Thresholds())]
    print(f"{model.predictor.runtime.description}, {frames[0].image.shape[1]}x{frames[0].image.shape[0]}")
    alone = {"decode": frames_per_second(lambda: decode(video, count))}
    alone |= stages_alone(model, frames, scenes, count, folder)
    print("| stage | frames/s |\n|---|---|")
    for stage, rate in alone.items():
        print(f"| {stage} | {rate:.1f} |")
    slowest = {name: rate for name, rate in alone.items() if name not in ("draw", "encode")}
    for label, formats, stages in (("end to end, JSON", {"json"}, slowest), ("and drawn video", {"image"}, alone)):
        rate = end_to_end(model, video, count, formats, folder / "out")
        stage = min(stages, key=lambda name: stages[name])
        print(f"| {label} | {rate:.1f} ({stages[stage] / rate:.2f} times as long as {stage} alone) |")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", nargs="?", type=Path)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--precision", default="auto")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        video = arguments.video or Path(name) / "drive.mp4"
        if arguments.video is None:
            with VideoWriter(video, 25, 1280, 720) as writer:
                for sample in Drive(119).frames(arguments.frames):
                    writer.write(sample.image)
        measure(video, arguments.frames, arguments.precision, Path(name))


if __name__ == "__main__":
    main()
