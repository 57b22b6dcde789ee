"""Workflows of `yolopv2.ikomia`, run for a page: on what it has opened, with the models that the studio offers.

A workflow comes from a browser, and its parameters with it. Two of them name files: those of weights are refused, and
the folders of files to be written are replaced by the run's own, whose files the page can take.
"""

import json
import secrets
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from yolopv2.errors import YolopError
from yolopv2.ikomia.exposed import Exposed
from yolopv2.ikomia.file import parse_workflow
from yolopv2.ikomia.graph import Graph
from yolopv2.ikomia.outputs import CLASSES, IO, DataDictIO, DetectionIO, ImageIO, SegmentationIO
from yolopv2.ikomia.parameters import InferParameters
from yolopv2.ikomia.perceive import Perceive, Perceiver
from yolopv2.ikomia.running import Run, run_frames
from yolopv2.ikomia.steps import Write
from yolopv2.ikomia.task import Task
from yolopv2.media import Frame
from yolopv2.model import YOLOPv2
from yolopv2.scene import Scene
from yolopv2.scene.save import forget_names
from yolopv2.studio.errors import Refusal
from yolopv2.studio.models import Choice, Models
from yolopv2.studio.pictures import jpeg
from yolopv2.studio.sessions import Shelf
from yolopv2.studio.videos import a_turn
from yolopv2.studio.work import Work, end_all

MOST_BYTES = 1 << 20
"""Of a workflow that a page sends."""

_MOST_TASKS = 16
_MOST_CONNECTIONS = 64
_LONGEST_VALUE = 2000
_FRAMES_BETWEEN_COUNTS = 25
"""Frames after which the bytes of written files are counted."""

Frames = Callable[[], Generator[Frame, None, None]]


class _StudioPerceiver(Perceiver):
    """Looks with the models that the studio offers, and no others."""

    def __init__(self, models: Models) -> None:
        super().__init__()
        self._models = models

    def model(self, params: InferParameters) -> YOLOPv2:
        """The model; no file that a page names is opened.

        Raises:
            YolopError: A file is named, or the model cannot be run so.
            Refusal: The studio offers no such model.
        """
        if params.model_weight_file:
            raise YolopError(
                "infer_yolop_v2, parameter 'model_weight_file': the studio opens no files by name; start it with "
                "--weights, and choose the file as model_name"
            )
        try:
            choice = Choice(weights=params.model_name, size=params.input_size, precision=params.precision)
        except ValidationError as error:
            first = error.errors()[0]
            raise YolopError(f"infer_yolop_v2, {first['loc'][0]} of the model: {first['msg']}") from None
        return self._models.model(choice)

    def __call__(self, frame: Frame, params: InferParameters) -> Scene:
        """What is seen in a frame."""
        with self._models.lock:
            return super().__call__(frame, params)


class WorkflowRun:
    """A workflow on its way through frames, and what each task gave for the last of them.

    Args:
        shelf: Where pictures and written files are kept.
        models: Look.
        text: The workflow, as its file has it.

    Raises:
        YolopError: It is none, or not a sound one.
        Refusal: It is too large.
    """

    def __init__(self, shelf: Shelf, models: Models, text: bytes) -> None:
        self.id, self.work = secrets.token_hex(8), Work()
        self._shelf = shelf
        self._results: list[dict[str, Any]] = []
        self._counted = 0
        try:
            _, self._graph, _ = sound_workflow(text)
            self._keep_in(models)
        except BaseException:
            shelf.remove()
            raise

    def _keep_in(self, models: Models) -> None:
        """Lets the tasks use nothing but what is the studio's."""
        for number, task in enumerate(self._graph.tasks):
            if isinstance(task, Perceive):
                task.perceiver = _StudioPerceiver(models)
            if isinstance(task, Write):
                task.params = task.params.model_copy(update={"folder": str(self._written_by(number))})

    def _written_by(self, number: int) -> Path:
        return self._shelf.folder / f"written-{number}"

    def start(self, frames: Frames, total: int | None) -> None:
        """Runs on frames, in a thread of its own."""
        self.work.total = total
        self.work.start(self._run, frames)

    def _run(self, frames: Frames) -> None:
        work, run = self.work, Run()

        def wanted(source: Iterable[Frame]) -> Generator[Frame, None, None]:
            for frame in source:
                work.check()
                yield frame

        def done() -> None:
            work.done += 1
            if work.done % _FRAMES_BETWEEN_COUNTS == 0:
                self._count()

        with a_turn(work):
            work.state = "looking"
            try:
                with closing(frames()) as source:
                    run_frames(self._graph, wanted(source), run, done=done)
            finally:
                self._count()
                if run.frames:
                    self._results = self._described(run)
                for task in self._graph.tasks:
                    task.clear()
        if not run.frames:
            raise YolopError("there was no frame to work on")

    def _count(self) -> None:
        """Counts the bytes of what was written.

        Raises:
            Refusal: They are too many.
        """
        size = sum(path.stat().st_size for path in self._shelf.folder.glob("written-*/**/*") if path.is_file())
        if size > self._counted:
            self._shelf.take(size - self._counted)
            self._counted = size

    def _described(self, run: Run) -> list[dict[str, Any]]:
        described = []
        for number, task in enumerate(self._graph.tasks):
            if task is self._graph.root:
                continue
            picture = _picture(task)
            if picture is not None:
                self._shelf.write(f"{number - 1}.jpg", picture)
            written = [path for path in self._written_by(number).rglob("*") if path.is_file()]
            described.append(
                {
                    "name": task.name,
                    "milliseconds": run.milliseconds.get(task, 0.0) / run.frames,
                    "picture": picture is not None,
                    "outputs": [_output(io) for io in task.get_outputs()],
                    "files": len(written),
                    "bytes": sum(path.stat().st_size for path in written),
                }
            )
        return described

    def describe(self) -> dict[str, Any]:
        """Progress, and the results of each task once there are any."""
        return {"id": self.id, **self.work.describe(), "tasks": self._results}

    def picture(self, number: int) -> Path:
        """The picture that a task gave, with what was seen in it.

        Raises:
            Refusal: It gave none.
        """
        path = self._shelf.folder / f"{number}.jpg"
        if not path.is_file():
            raise Refusal(404, "This task gave no picture.")
        return path

    def written(self, number: int) -> Path:
        """The folder of files that a task wrote.

        Raises:
            Refusal: It wrote none, or is still writing.
        """
        folder = self._written_by(number + 1)
        if self.work.is_running or not folder.is_dir():
            raise Refusal(404, "This task has written no files, or is not done with them.")
        return folder

    def close(self) -> None:
        """Ends it and removes its files."""
        end_all(self.work)
        self._shelf.remove()
        forget_names(self._shelf.folder)


def sound_workflow(text: bytes) -> tuple[str, Graph, Exposed]:
    """Reads a workflow as `yolopv2.ikomia.file.parse_workflow` does, unless it would take the studio too long.

    Raises:
        YolopError: It is none, or not a sound one.
        Refusal: It has too many tasks or connections, or too long a parameter.
    """
    with suppress(ValueError, RecursionError, AttributeError):  # then it is no workflow, as the library will say
        given = json.loads(text)
        for name, most in (("tasks", _MOST_TASKS), ("connections", _MOST_CONNECTIONS)):
            if isinstance(listed := given.get(name), list) and len(listed) > most:
                raise Refusal(413, f"The studio takes workflows of up to {most} {name}.")
    name, graph, exposed = parse_workflow(text, "that was given")
    for task in graph.tasks:
        for parameter, value in task.get_parameters().items():
            if len(value) > _LONGEST_VALUE:
                raise Refusal(
                    413, f"{task.name}, parameter {parameter!r}: the studio takes up to {_LONGEST_VALUE} letters."
                )
    return name, graph, exposed


def _picture(task: Task) -> bytes | None:
    """What a task gave to be seen, as JPEG; None where it gave no picture."""
    pictures = [io for io in task.get_outputs() if isinstance(io, ImageIO)]
    if not pictures or not isinstance(task.output_at(0), ImageIO):
        return None
    return jpeg(Frame(task.get_image_with_mask_and_graphics(), task.name))


def _output(io: IO) -> dict[str, Any]:
    """An output in what the page shows of it."""
    described: dict[str, Any] = {"kind": io.data_type.value}
    if isinstance(io, DetectionIO):
        return {**described, "objects": io.get_objects()}
    if isinstance(io, SegmentationIO):
        mask = io.get_mask()
        shares = {} if mask is None else {CLASSES[value]: float((mask == value).mean()) for value in (1, 2)}
        return {**described, "shares": shares}
    if isinstance(io, DataDictIO):
        return {**described, "data": io.data}
    height, width = io.get_image().shape[:2]
    return {**described, "width": width, "height": height}
