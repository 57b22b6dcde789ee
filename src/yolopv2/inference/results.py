"""What a prediction leaves in its folder: one line per frame, annotated pictures and videos, and more where asked."""

import json
import os
from collections.abc import Collection, Generator, Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError
from yolopv2.files import cannot_write, hidden_path, write_image
from yolopv2.scene import Scene
from yolopv2.scene.save import coco_results, image_identity, scene_name

if TYPE_CHECKING:
    from yolopv2.media import Frame, VideoWriter

FORMATS = ("image", "json", "coco", "yolo", "masks", "panoptic")
"""What can be written: annotated pictures and videos; the lines, which always are; and other programs' formats."""

_SUBFOLDERS = {"yolo": "labels", "masks": "masks", "panoptic": "panoptic"}
"""Formats of one file or more per frame, each in a folder of its own."""

_UNKNOWN_RATE = 25.0


def new_folder(base: Path) -> Path:
    """Makes a folder that did not exist: ``base``, or ``base-2``, ``base-3`` and so on.

    Raises:
        YolopError: It cannot be made.
    """
    number = 1
    while True:
        folder = base if number == 1 else base.with_name(f"{base.name}-{number}")
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            number += 1
        except OSError as error:
            raise cannot_write(folder, error) from error


def refuse_folder_of_inputs(folder: Path, inputs: Iterable[str]) -> None:
    """Keeps results apart from inputs: one could be written over, and a second run would look at results.

    Args:
        folder: Where the results are to go.
        inputs: Paths of the files to be read.

    Raises:
        YolopError: One of them lies in the folder.
    """
    parents = {os.path.dirname(path) or "." for path in inputs}
    if folder.is_dir() and any(os.path.isdir(parent) and os.path.samefile(parent, folder) for parent in parents):
        raise YolopError(f"the results would lie among the inputs in {folder}: choose another output folder")


class Prepared(NamedTuple):
    """What is to be written of one frame.

    Attributes:
        frame: The frame.
        scene: What was seen in it.
        drawn: uint8 ``[H, W, 3]`` RGB, the picture to be written, if any is.
        line: The scene as a line of JSON.
    """

    frame: "Frame"
    scene: Scene
    drawn: NDArray[np.uint8] | None
    line: str


class Results:
    """Writes scenes into a folder as they come; leaving the context finishes every file, whatever ended it.

    ``scenes.jsonl`` has one line per frame and is whole after each. Further files are named after their source, and
    made unique where two sources share a name.

    Args:
        folder: Where to; it is made if it does not exist.
        formats: Any of `FORMATS`.

    Attributes:
        frames: Frames written.
        vehicles: Vehicles in all of them.

    Raises:
        YolopError: The folder cannot be written to.
    """

    def __init__(self, folder: Path, formats: Collection[str]) -> None:
        self.folder, self.formats = folder, formats
        self.frames = self.vehicles = 0
        self._open = ExitStack()
        self._open.callback(self._finish_video)
        self._video: VideoWriter | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lines = (folder / "scenes.jsonl").open("w", encoding="utf-8")
        except OSError as error:
            raise cannot_write(folder / "scenes.jsonl", error) from error
        self._open.enter_context(self._lines)
        self._coco = self._open.enter_context(JsonArray(folder / "results.json")) if "coco" in formats else None

    def prepared(self, scenes: Generator[tuple["Frame", Scene], None, None]) -> Generator["Prepared", None, None]:
        """Makes of each scene what is to be written, without writing it, so that a thread may do it ahead.

        Args:
            scenes: Frames with what was seen in them; closed at the end.
        """
        with closing(scenes):
            for frame, scene in scenes:
                drawn = scene.draw() if "image" in self.formats else None
                yield Prepared(frame, scene, drawn, scene.to_json())

    def add(self, prepared: "Prepared") -> None:
        """Writes what was seen in a frame.

        Raises:
            YolopError: A file cannot be written.
        """
        frame, scene = prepared.frame, prepared.scene
        name = scene_name(scene, self.folder)
        if prepared.drawn is not None:
            if frame.is_video:
                self._video_of(frame, name).write(prepared.drawn)
            else:
                write_image(self.folder / f"{name}.jpg", prepared.drawn)
        for kind, subfolder in _SUBFOLDERS.items():
            if kind in self.formats:
                scene.save(self.folder / subfolder, [kind], name)
        if self._coco is not None:
            for result in coco_results(scene, *image_identity(scene, name)):
                self._coco.append(result)
        try:
            self._lines.write(prepared.line + "\n")
            # Counted before others can see the line: who then presses Ctrl-C is told of it.
            self.frames += 1
            self.vehicles += len(scene.vehicles)
            self._lines.flush()
        except OSError as error:
            raise cannot_write(self.folder / "scenes.jsonl", error) from error

    def _video_of(self, frame: "Frame", name: str) -> "VideoWriter":
        """The annotated video of the frame's source; that of the source before is finished."""
        if frame.index == 0 or self._video is None:
            from yolopv2.media import VideoWriter

            self._finish_video()
            path = self.folder / f"{name.removesuffix(f'_{frame.index:06d}')}.mp4"
            height, width = frame.image.shape[:2]
            self._video = VideoWriter(path, frame.fps or _UNKNOWN_RATE, width, height)
        return self._video

    def _finish_video(self) -> None:
        if self._video is not None:
            self._video.close()

    def __enter__(self) -> "Results":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()


class JsonArray:
    """Writes a JSON array element by element, so that it need not fit into memory.

    The file takes its name when it is whole; leaving the context makes it so.

    Args:
        path: The file.

    Raises:
        YolopError: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._separator = "[\n"
        try:
            self._temporary = hidden_path(path)
            self._file: TextIO = open(self._temporary, "w", encoding="utf-8")  # noqa: SIM115 - closed on leaving
        except OSError as error:
            raise cannot_write(path, error) from error

    def append(self, element: object) -> None:
        """Adds an element, of JSON types.

        Raises:
            YolopError: It cannot be written.
        """
        try:
            self._file.write(self._separator + json.dumps(element, ensure_ascii=False, allow_nan=False))
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._separator = ",\n"

    def __enter__(self) -> "JsonArray":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._file:
                self._file.write("[]\n" if self._separator == "[\n" else "\n]\n")
            os.replace(self._temporary, self._path)
        except OSError as failure:
            self._temporary.unlink(missing_ok=True)
            raise cannot_write(self._path, failure) from failure
