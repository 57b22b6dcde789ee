"""The results of a batch as one ZIP, made while it is sent."""

import csv
import io
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath

from yolopv2.files import encode_image
from yolopv2.inference import Thresholds
from yolopv2.media import VideoWriter
from yolopv2.scene import Scene
from yolopv2.studio.batches import Batch, Entry
from yolopv2.studio.videos import UNKNOWN_RATE

_COLUMNS = ("file", "kind", "frames", "vehicles", "drivable", "lanes", "milliseconds", "error")
_BLOCK = 1 << 20


def archive(batch: Batch, thresholds: Thresholds, layers: list[str], drawn: bool) -> Iterator[bytes]:
    """Everything that was seen in a batch so far.

    Args:
        batch: Whose results.
        thresholds: What is decided with.
        layers: What is drawn; see `yolopv2.Scene.draw`.
        drawn: Whether pictures (JPEG) and videos (MP4) with what was seen are wanted.

    Yields:
        The bytes of a ZIP: those pictures and videos under the paths of their files, ``scenes.jsonl`` with a line for
        each frame as ``yolopv2 predict`` writes it, and ``summary.csv`` with a row for each file: the mean over its
        frames of the number of vehicles, of the shares of drivable area and of lane markings, and of the model's
        milliseconds.
    """
    sent = _Sent()
    shelf, path = batch.shelf, batch.shelf.folder / f"{time.monotonic_ns()}.jsonl"
    summary = io.StringIO()
    table = csv.writer(summary)
    table.writerow(_COLUMNS)
    names = _Names("scenes.jsonl", "summary.csv")
    try:
        with zipfile.ZipFile(sent, "w") as file:
            with path.open("wb") as lines:
                for entry in batch.entries():
                    if entry.work.is_running:
                        continue
                    tally = _Tally(entry)
                    if drawn and len(entry.looks):
                        yield from _drawn(file, sent, batch, entry, thresholds, layers, names)
                    for scene in entry.scenes(thresholds):
                        line = tally.add(scene).to_json().encode() + b"\n"
                        shelf.take(len(line))
                        lines.write(line)
                    table.writerow(tally.row())
            yield from _member(file, sent, "scenes.jsonl", _blocks(path), zipfile.ZIP_DEFLATED)
            yield from _member(file, sent, "summary.csv", [summary.getvalue().encode()], zipfile.ZIP_DEFLATED)
        yield sent.drain()
    finally:
        shelf.drop(path)


class _Sent:
    """A file that cannot be sought in: what was written, until it is sent."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def drain(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


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
        vehicles, milliseconds = (
            f"{total / count:.6g}" if count else "" for total in (self._vehicles, entry.milliseconds)
        )
        error = "cancelled" if entry.work.state == "cancelled" else entry.work.error
        return [entry.name, entry.kind, str(count), vehicles, *means, milliseconds, error]


def _drawn(
    file: zipfile.ZipFile,
    sent: _Sent,
    batch: Batch,
    entry: Entry,
    thresholds: Thresholds,
    layers: list[str],
    names: _Names,
) -> Iterator[bytes]:
    """The picture or video with what was seen in it."""
    with closing(entry.frames(batch.limits)) as frames:
        seen = (
            (frame, entry.looks[index].decide(thresholds, frame).draw(layers=layers))
            for index, frame in zip(range(len(entry.looks)), frames, strict=False)
        )
        if entry.kind == "picture":
            for _, picture in seen:
                yield from _member(file, sent, names.free(entry.name, ".jpg"), [encode_image(picture, ".jpg")])
            return
        path = batch.shelf.folder / f"{time.monotonic_ns()}.mp4"
        video: VideoWriter | None = None
        try:
            for frame, picture in seen:
                if video is None:
                    video = VideoWriter(path, frame.fps or UNKNOWN_RATE, *reversed(picture.shape[:2]))
                video.write(picture)
                yield sent.drain()  # nothing, but whoever does not want it any more can say so here
        finally:
            if video is not None:
                video.close()
        batch.shelf.take(path.stat().st_size)
        try:
            yield from _member(file, sent, names.free(entry.name, ".mp4"), _blocks(path))
        finally:
            batch.shelf.drop(path)


def _member(
    file: zipfile.ZipFile, sent: _Sent, name: str, blocks: Iterable[bytes], compression: int = zipfile.ZIP_STORED
) -> Iterator[bytes]:
    info = zipfile.ZipInfo(name, time.localtime()[:6])
    info.compress_type = compression
    with file.open(info, "w", force_zip64=True) as member:
        for block in blocks:
            member.write(block)
            yield sent.drain()
    yield sent.drain()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block
