"""The tasks that a workflow can have, by name."""

import importlib.util
import os
import sys
import traceback
from pathlib import Path

from yolopv2.errors import YolopError, nearest
from yolopv2.ikomia.perceive import Perceive
from yolopv2.ikomia.steps import Draw, Filter, Write
from yolopv2.ikomia.task import Task

TASKS: dict[str, type[Task]] = {task.name: task for task in (Perceive, Filter, Draw, Write)}
"""All tasks by name; `load_tasks` adds to them."""

_OWN = frozenset(TASKS)


def create_task(name: str) -> Task:
    """A new task with its parameters by default.

    Raises:
        YolopError: There is no task of this name.

    Example:
        >>> create_task("filter").get_parameters()["categories"]
        'all'
    """
    if name not in TASKS:
        raise YolopError(f"no task is called {name!r}{nearest(str(name), TASKS)}")
    return TASKS[name]()


def load_tasks(path: str | os.PathLike[str]) -> list[str]:
    """Runs a Python file, and offers the tasks that it defines to workflows.

    Args:
        path: The file. Each class in it that derives from `yolopv2.ikomia.task.Task` and has a ``name`` is one; a file
            that is loaded again replaces its tasks.

    Returns:
        Their names.

    Raises:
        YolopError: It cannot be run, defines no task, or one with the name of a task of this package.
    """
    path = Path(path)
    spec = importlib.util.spec_from_file_location(f"yolopv2_tasks_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise YolopError(f"{path} is no Python file with tasks: check the path")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where annotations are looked up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        where = f"{path}, line {lines[-1]}" if lines else str(path)
        raise YolopError(f"{where}: {type(error).__name__}: {error}") from error
    made = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Task)]
    named = {kind.name: kind for kind in made if kind.__module__ == module.__name__ and kind.name}
    if not named:
        raise YolopError(f"{path} defines no task: a class that derives from yolopv2.ikomia.Task and has a name")
    for name in named:
        if name in _OWN:
            raise YolopError(f"{path} defines a task {name!r}, which is a name of this package's own: choose another")
    TASKS.update(named)
    return [*named]
