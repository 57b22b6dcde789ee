"""Running the tasks of a graph on whatever holds frames."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from yolopv2.errors import YolopError
from yolopv2.files import write_image, write_text_atomic
from yolopv2.ikomia.graph import Graph
from yolopv2.ikomia.outputs import ImageIO, segmented
from yolopv2.ikomia.task import Task
from yolopv2.inference.results import refuse_folder_of_inputs
from yolopv2.media import Frame, Problem, open_source
from yolopv2.scene.save import scene_name
from yolopv2.training.bar import progress_bar

logger = logging.getLogger(__name__)


@dataclass
class Run:
    """What is known of a run beside its outputs, which are at the tasks.

    Attributes:
        problems: What was wrong with inputs, remarks included.
        frames: How many were worked on.
        milliseconds: What each task took.
        total: Milliseconds of everything, reading included.
    """

    problems: list[Problem] = field(default_factory=list)
    frames: int = 0
    milliseconds: dict[Task, float] = field(default_factory=dict)
    total: float = 0.0

    def note(self, problem: Problem) -> None:
        """Takes a problem down, and logs it."""
        self.problems.append(problem)
        logger.warning("%s%s", "left out " if problem.fatal else "", problem)


def run_graph(graph: Graph, source: Any, several: bool, folder: Path | None) -> Run:
    """Runs all tasks on every frame, one frame after the other, each task after those that feed it.

    Args:
        graph: The tasks.
        source: What `yolopv2.media.open_source` takes.
        several: Whether inputs that cannot be read are left out, as of a folder.
        folder: Where all outputs of all tasks are saved, or None.

    Raises:
        YolopError: A task lacks an input that it needs, or fails; or nothing can be read.
    """
    runnable(graph)  # raises before anything is opened
    run = Run()
    with open_source(source, run.note) as frames, progress_bar("") as bar:
        if folder is not None:
            refuse_folder_of_inputs(folder, frames.files)
        shown = bar.add_task("", total=frames.total, visible=several or frames.is_video)
        run_frames(graph, frames, run, frames.files, folder, lambda: bar.advance(shown))
    if not run.frames:
        raise YolopError("\n".join(str(problem) for problem in run.problems) or "the input held no frame")
    return run


def runnable(graph: Graph) -> list[Task]:
    """The tasks in the order they run.

    Raises:
        YolopError: There is none, or one lacks an input that it needs.
    """
    order = graph.order()
    if not order:
        raise YolopError("the workflow has no task: add one with add_task")
    for task in order:
        fed = {edge.input for edge in graph.edges if edge.target is task}
        for index in task.needs:
            if index not in fed:
                kind = task.inputs[index].value
                raise YolopError(f"input {index} of {task.name} ({kind}) is not connected: use connect_tasks")
    return order


def run_frames(
    graph: Graph,
    frames: Iterable[Frame],
    run: Run,
    files: Sequence[str] = (),
    folder: Path | None = None,
    done: Callable[[], object] = lambda: None,
) -> None:
    """Runs all tasks on every frame.

    Args:
        graph: The tasks.
        frames: What they work on.
        run: Is told how many frames there were, and what each task took.
        files: Paths of the files that the frames come from.
        folder: Where all outputs of all tasks are saved, or None.
        done: Is called after each frame.

    Raises:
        YolopError: There is no task, or one lacks an input that it needs, or fails.
    """
    order = runnable(graph)
    run.milliseconds = dict.fromkeys(order, 0.0)
    with ExitStack() as running:
        for task in order:
            running.callback(task.end)
            task.begin(files)
        began = time.perf_counter()
        for frame in frames:
            _run_frame(graph, order, frame, run)
            if folder is not None:
                for task in order:
                    _save_outputs(task, frame, folder / task.name)
            run.frames += 1
            done()
        run.total = 1000 * (time.perf_counter() - began)


def _run_frame(graph: Graph, order: list[Task], frame: Frame, run: Run) -> None:
    graph.root.give(ImageIO(frame))
    for task in order:
        since = time.perf_counter()
        for edge in graph.edges:
            if edge.target is task:
                task.set_input(edge.source.output_at(edge.output), edge.input)
        task.run()
        run.milliseconds[task] += 1000 * (time.perf_counter() - since)


def _save_outputs(task: Task, frame: Frame, folder: Path) -> None:
    """Writes all outputs of a task for one frame: pictures as JPEG, everything else as JSON."""
    name = scene_name(segmented(frame), folder)
    for io in task.get_outputs():
        if isinstance(io, ImageIO):
            write_image(folder / f"{name}.jpg", io.get_image())
        else:
            write_text_atomic(folder / f"{name}_{io.data_type.value.lower()}.json", io.to_json() + "\n")
