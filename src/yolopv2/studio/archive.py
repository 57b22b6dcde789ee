"""The results of a batch as one ZIP, made while it is sent."""

import csv
import io
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import PurePosixPath

from yolopv2.files import encode_image
from yolopv2.media import VideoWriter
from yolopv2.scene import Scene
from yolopv2.studio.asked import Archive
from yolopv2.studio.batches import Batch, Entry
from yolopv2.studio.videos import UNKNOWN_RATE
from yolopv2.studio.zips import Zip, file_blocks

_COLUMNS = ("file", "kind", "frames", "vehicles", "drivable", "lanes", "milliseconds", "error")


def archive(batch: Batch, asked: Archive) -> Iterator[bytes]:
    """Everything that was seen in a batch so far.

    Args:
        batch: Whose results.
        asked: What is decided with, whether pictures and videos are wanted, and what is drawn into them.

    Yields:
        The bytes of a ZIP: those pictures (JPEG) and videos (MP4) under the paths of their files, ``scenes.jsonl`` with
        a line for each frame as ``yolopv2 predict`` writes it, and ``summary.csv`` with a row for each file: the mean
        over its frames of the number of vehicles, of the shares of drivable area and of lane markings, and of the
        model's milliseconds.
    """
    shelf, path = batch.shelf, batch.shelf.folder / f"{time.monotonic_ns()}.jsonl"
    thresholds = asked.sliders.thresholds()
    summary = io.StringIO()
    table = csv.writer(summary)
    table.writerow(_COLUMNS)
    names = _Names("scenes.jsonl", "summary.csv")
    try:
        with Zip() as zipped:
            with path.open("wb") as lines:
                for entry in [entry for entry in batch.entries() if not entry.work.is_running]:
                    if asked.drawn and len(entry.looks):
                        yield from _drawn(zipped, batch, entry, asked, names)
                    tally = _Tally(entry)
                    for scene in entry.scenes(thresholds):
                        line = tally.add(scene).to_json().encode() + b"\n"
                        shelf.take(len(line))
                        lines.write(line)
                    table.writerow(tally.row())
            yield from zipped.add("scenes.jsonl", file_blocks(path), compressed=True)
            yield from zipped.add("summary.csv", [summary.getvalue().encode()], compressed=True)
        yield zipped.drain()
    finally:
        shelf.drop(path)


class _Names:
    """Names in the archive, none of them twice, not even where letters' case does not count."""

    def __init__(self, *taken: str) -> None:
        self._taken = set(taken)

    def free(self, source: str, suffix: str) -> str:
        """The name of a source's file with another suffix, made unique as ``name-2``."""
        path, number = PurePosixPath(source), 1
        while True:
            name = str(path.with_name(f"{path.stem}{'' if number == 1 else f'-{number}'}{suffix}"))
            if name.casefold() not in self._taken:
                self._taken.add(name.casefold())
                return name
            number += 1


class _Tally:
    """A row of the summary, counted frame by frame."""

    def __init__(self, entry: Entry) -> None:
        self._entry, self._frames, self._vehicles = entry, 0, 0
        self._shares: dict[str, list[float]] = {"drivable": [], "lanes": []}

    def add(self, scene: Scene) -> Scene:
        self._frames += 1
        self._vehicles += len(scene.vehicles)
        for name, shares in self._shares.items():
            if (mask := getattr(scene, name)) is not None:
                shares.append(float(mask.mean()))
        return scene

    def row(self) -> list[str]:
        entry, count = self._entry, self._frames
        means = [f"{sum(shares) / len(shares):.6f}" if shares else "" for shares in self._shares.values()]
        vehicles, taken = (f"{total / count:.6g}" if count else "" for total in (self._vehicles, entry.milliseconds))
        error = "cancelled" if entry.work.state == "cancelled" else entry.work.error
        return [_words(entry.name), entry.kind, str(count), vehicles, *means, taken, _words(error)]


def _words(text: str) -> str:
    """Words as a table may hold them: a spreadsheet would run what begins like a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _drawn(zipped: Zip, batch: Batch, entry: Entry, asked: Archive, names: _Names) -> Iterator[bytes]:
    """The picture or video with what was seen in it."""
    thresholds, layers = asked.sliders.thresholds(), [*asked.layers]
    with closing(entry.frames(batch.limits)) as frames:
        seen = (
            (frame, entry.looks[index].decide(thresholds, frame).draw(layers=layers))
            for index, frame in zip(range(len(entry.looks)), frames, strict=False)
        )
        if entry.kind == "picture":
            for _, picture in seen:
                yield from zipped.add(names.free(entry.name, ".jpg"), [encode_image(picture, ".jpg")])
            return
        path = batch.shelf.folder / f"{time.monotonic_ns()}.mp4"
        video: VideoWriter | None = None
        try:
            for frame, picture in seen:
                if video is None:
                    video = VideoWriter(path, frame.fps or UNKNOWN_RATE, *reversed(picture.shape[:2]))
                video.write(picture)
                yield b""  # whoever does not want it any more can say so here
        finally:
            if video is not None:
                video.close()
        batch.shelf.take(path.stat().st_size)
        try:
            yield from zipped.add(names.free(entry.name, ".mp4"), file_blocks(path))
        finally:
            batch.shelf.drop(path)
