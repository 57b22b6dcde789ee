"""Workflow: tasks, connected, and run on pictures, videos and folders, with the calls that Ikomia's has."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError, nearest
from yolopv2.ikomia.exposed import Exposed
from yolopv2.ikomia.file import read_workflow, write_workflow
from yolopv2.ikomia.graph import Graph
from yolopv2.ikomia.outputs import IO, IODataType
from yolopv2.ikomia.registry import create_task
from yolopv2.ikomia.running import Run, run_graph
from yolopv2.ikomia.task import Task


class Workflow:
    """Tasks that are run one after the other on the same input.

    Args:
        name: What it is called in its file, and the folder of what it saves.

    Attributes:
        name: See above.
        graph: The tasks and how they are connected.
        exposed: What it offers of them; see `save`.
        output_folder: Where automatic saving goes.
        last_run: What was wrong with inputs of the last run, and how long it took.

    Example:
        >>> from yolopv2.data.synthetic import render_scene
        >>> wf = Workflow()
        >>> algo = wf.add_task(name="infer_yolop_v2", auto_connect=True)
        >>> algo.set_parameters({"input_size": "640", "conf_thres": "0.4"})
        >>> wf.run_on(array=render_scene(119).image)  # or url=, path=, folder=
        >>> sorted(set(algo.get_output(0).get_overlay_mask().ravel().tolist()))  # background, road, lane
        [0, 1, 2]
        >>> algo.get_output(1).get_objects()[0]["label"]
        'vehicle'
    """

    def __init__(self, name: str = "Untitled") -> None:
        self.name = name
        self.graph = Graph()
        self.exposed = Exposed()
        self.output_folder = str(Path("runs", "workflow", name))
        self.last_run = Run()
        self._input: Any = None
        self._auto_save = False

    def __repr__(self) -> str:
        return f"Workflow({self.name!r}: {' -> '.join(task.name for task in self.graph.tasks)})"

    def root(self) -> Task:
        """Where the workflow starts: the task whose output 0 is the input picture."""
        return self.graph.root

    def add_task(
        self,
        task: Task | None = None,
        name: str = "",
        params: Mapping[str, Any] | None = None,
        auto_connect: bool = False,
    ) -> Any:
        """Adds a task.

        Args:
            task: The task, or None for a new one.
            name: Which new one: ``infer_yolop_v2``, ``filter``, ``draw`` or ``write``.
            params: Parameters to be set.
            auto_connect: Whether it is connected to the task that was added before it, or to the root.

        Returns:
            The task.

        Raises:
            YolopError: There is no such task or parameter, or it cannot be connected; it is not added then.
        """
        if task is None:
            task = create_task(name)
        task.set_parameters(params or {})
        before = self.graph.tasks[-1]
        self.graph.add(task)
        if auto_connect:
            try:
                self.graph.connect(before, task, None)
            except YolopError:
                self.graph.remove(task)
                raise
        return task

    def connect_tasks(self, src: Task, target: Task, edges: Iterable[Sequence[int]] | None = None) -> None:
        """Connects two tasks.

        Args:
            src: Whose outputs are taken; `root` for the input picture.
            target: The task that takes them.
            edges: Pairs of an output of ``src`` and an input of ``target``; if None, what fits by its kind.

        Raises:
            YolopError: A task is not part of this workflow, kinds do not fit, an input is taken already, or the
                connections would go round in a circle.
        """
        self.graph.connect(src, target, edges)

    def remove_task(self, task: Task | None = None, name: str = "", index: int = 0) -> None:
        """Removes a task and its connections.

        Args:
            task: The task, or None to find it.
            name: Its name.
            index: Which of those of that name.

        Raises:
            YolopError: It is not part of this workflow.
        """
        task = self._one(task, name, index)
        self.graph.remove(task)
        self.exposed.forget(task)

    def find_task(self, name: str, index: int = -1) -> Any:
        """Finds tasks by name.

        Args:
            name: The name.
            index: Which of those of that name; -1 for all.

        Returns:
            A list of all of them, which may be empty, or the one at the index.

        Raises:
            YolopError: There are not so many.
        """
        found = [task for task in self.graph.tasks if task.name == name]
        if index == -1:
            return found
        if not 0 <= index < len(found):
            raise YolopError(f"there are {len(found)} tasks {name!r}, so none at index {index}")
        return found[index]

    def get_tasks(self) -> list[Task]:
        """All tasks, the root first."""
        return list(self.graph.tasks)

    def set_parameters(
        self, params: Mapping[str, Any], task_obj: Task | None = None, task_name: str = "", index: int = -1
    ) -> None:
        """Changes parameters of tasks.

        Args:
            params: Strings, or what they mean, by name.
            task_obj: The task, or None to find it.
            task_name: Its name.
            index: Which of those of that name; -1 for all.

        Raises:
            YolopError: There is no such task or parameter, or a value cannot be.
        """
        found = [self._one(task_obj, task_name, index)] if task_obj or index >= 0 else self.find_task(task_name)
        if not found:
            raise self._no_task(task_name)
        for task in found:
            task.set_parameters(params)

    def get_task_output(
        self,
        task_obj: Task | None = None,
        task_name: str = "",
        task_index: int = 0,
        types: Sequence[IODataType] = (IODataType.IMAGE,),
        output_index: int = -1,
    ) -> Any:
        """Outputs of a task by their kind.

        Args:
            task_obj: The task, or None to find it.
            task_name: Its name.
            task_index: Which of those of that name.
            types: Kinds that are wanted.
            output_index: Which of those of these kinds; -1 for all.

        Returns:
            A list of all of them, or the one at the index.

        Raises:
            YolopError: There is no such task or output.
        """
        task = self._one(task_obj, task_name, task_index)
        found = [io for io in task.get_outputs() if io.data_type in types]
        if output_index == -1:
            return found
        if not 0 <= output_index < len(found):
            raise YolopError(f"{task.name} gave {len(found)} outputs of these types, so none at index {output_index}")
        return found[output_index]

    def get_outputs(self) -> list[IO]:
        """The outputs that the workflow exposes, of the last run; see `save`."""
        return [offered.task.get_output(offered.index) for offered in self.exposed.outputs]

    def set_image_input(
        self, array: NDArray[Any] | None = None, path: str | os.PathLike[str] = "", url: str = "", index: int = 0
    ) -> None:
        """Sets the picture that `run` works on: an RGB array, a file, or an address.

        Raises:
            YolopError: None or several of them are given, or ``index`` is not that of the one input, 0.
        """
        _check_index(index)
        self._input = _only_one(array=array, path=path, url=url)

    def set_video_input(self, path: str | os.PathLike[str] = "", url: str = "", index: int = 0) -> None:
        """Sets the video that `run` works on, frame by frame: a file, or the address of a file or stream.

        Raises:
            YolopError: As for `set_image_input`.
        """
        _check_index(index)
        self._input = _only_one(path=path, url=url)

    def set_directory_input(self, folder: str | os.PathLike[str], index: int = 0) -> None:
        """Sets the folder that `run` works on: all pictures and videos in it and below.

        Raises:
            YolopError: It is no folder, or ``index`` is not 0.
        """
        _check_index(index)
        if not os.path.isdir(folder):
            raise YolopError(f"{os.fspath(folder)!r} is no folder: check the path")
        self._input = folder

    def set_auto_save(self, enable: bool) -> None:
        """Says whether runs save all outputs of all tasks into `output_folder`; those on folders do in any case."""
        self._auto_save = enable

    def run_on(
        self,
        array: NDArray[Any] | None = None,
        path: str | os.PathLike[str] = "",
        url: str = "",
        folder: str | os.PathLike[str] = "",
    ) -> None:
        """Runs on one input; results are at the tasks, for videos and folders those of the last frame.

        Args:
            array: A picture, uint8 ``[H, W, 3]`` RGB.
            path: A picture or video.
            url: The address of a picture, video or stream.
            folder: Pictures and videos in it and below; all outputs are saved into `output_folder`.

        Raises:
            YolopError: None or several of them are given, or as for `run`.
        """
        given = _only_one(array=array, path=path, url=url, folder=folder)
        if folder:
            self.set_directory_input(folder)
        else:
            self._input = given
        self.run()

    def run(self) -> None:
        """Runs all tasks on the input, each after those that feed it.

        Raises:
            YolopError: There is no input or no task, the input cannot be read, a task lacks an input that it needs, or
                it fails. Of a folder, what cannot be read is left out, logged, and named in ``last_run.problems``.
        """
        if self._input is None:
            raise YolopError("the workflow has no input: use run_on(path=...), or set_image_input and run")
        several = not isinstance(self._input, np.ndarray) and os.path.isdir(self._input)
        folder = Path(self.output_folder) if self._auto_save or several else None
        self.last_run = run_graph(self.graph, self._input, several, folder)

    def get_time_metrics(self) -> dict[str, Any]:
        """How long the last run took, in milliseconds: ``total_time``, and by the name of each task ``task_time`` and
        ``time_from_start``; the second task of a name is ``name-2``."""
        metrics: dict[str, Any] = {"total_time": self.last_run.total}
        since = 0.0
        for task in [self.graph.root, *self.graph.order()]:
            taken = self.last_run.milliseconds.get(task, 0.0)
            since += taken
            number = sum(key.split("-")[0] == task.name for key in metrics) + 1
            key = task.name if number == 1 else f"{task.name}-{number}"
            metrics[key] = {"task_time": taken, "time_from_start": since}
        return metrics

    def save(
        self,
        path: str | os.PathLike[str],
        exposed_params: Mapping[Task | int | str, Mapping[str, Mapping[str, str]]] | None = None,
        exposed_outputs: Mapping[Task | int | str, Sequence[Mapping[str, Any]]] | None = None,
    ) -> None:
        """Writes the workflow as JSON, in the form that Ikomia's have.

        Args:
            path: The file.
            exposed_params: By task (itself, its number, or its name), the parameters that the workflow offers, with
                ``name`` and ``description``; all of them if none is given.
            exposed_outputs: By task, the outputs that it offers, with ``index`` and ``description``; all of them if
                none is given.

        Raises:
            YolopError: A task, parameter or output does not exist, or the file cannot be written.
        """
        exposed = Exposed(
            [] if exposed_params else self.exposed.parameters, [] if exposed_outputs else self.exposed.outputs
        )
        for key, params in (exposed_params or {}).items():
            task = self._by_key(key)
            for name, info in (params or {name: {} for name in task.get_parameters()}).items():
                exposed.add_parameter(task, name, info)
        for key, outputs in (exposed_outputs or {}).items():
            task = self._by_key(key)
            for info in outputs or [{"index": index} for index in range(len(task.outputs))]:
                exposed.add_output(task, info.get("index"), info)
        write_workflow(Path(path), self.name, self.graph, exposed)
        self.exposed = exposed

    def load(self, path: str | os.PathLike[str]) -> None:
        """Takes name, tasks and connections from a file; nothing in it is run.

        Raises:
            YolopError: It is no workflow, or not a sound one; this workflow stays as it was.
        """
        self.name, self.graph, self.exposed = read_workflow(Path(path))

    def get_workflow_parameters(self) -> dict[str, str]:
        """The parameters that the workflow offers, by the names it offers them under; see `save`."""
        offered = self.exposed.by_name()
        return {name: found.task.get_parameters()[found.parameter] for name, found in offered.items()}

    def set_workflow_parameters(self, params: Mapping[str, Any]) -> None:
        """Changes parameters that the workflow offers.

        Raises:
            YolopError: It offers no such parameter, or a value cannot be.
        """
        offered = self.exposed.by_name()
        for name, value in params.items():
            if name not in offered:
                raise YolopError(f"the workflow exposes no parameter {name!r}{nearest(str(name), offered)}")
            offered[name].task.set_parameters({offered[name].parameter: value})

    def _one(self, task: Task | None, name: str, index: int) -> Task:
        """A task itself, or by name."""
        if task is not None:
            self.graph.check(task)
            return task
        found = self.find_task(name)
        if not found:
            raise self._no_task(name)
        return self.find_task(name, index)

    def _by_key(self, key: Task | int | str) -> Task:
        if isinstance(key, int):
            if not 0 <= key < len(self.graph.tasks) - 1:
                raise YolopError(f"there is no task with the id {key}")
            return self.graph.tasks[key + 1]
        return self._one(None, key, 0) if isinstance(key, str) else self._one(key, "", 0)

    def _no_task(self, name: str) -> YolopError:
        known = [task.name for task in self.graph.tasks]
        return YolopError(f"the workflow has no task {name!r}{nearest(str(name), known)}")


def _only_one(**given: Any) -> Any:
    """The one input that is given."""
    named = {name: value for name, value in given.items() if value is not None and not _is_empty(value)}
    if len(named) != 1:
        what = f"not {' and '.join(named)} together" if named else "none was given"
        raise YolopError(f"the workflow takes one input of {', '.join(given)}: {what}")
    return next(iter(named.values()))


def _check_index(index: int) -> None:
    if index not in (0, -1):
        raise YolopError(f"there is no input {index}: a workflow has one input, 0")


def _is_empty(value: Any) -> bool:
    return isinstance(value, str) and not value
