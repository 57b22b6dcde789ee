"""The tasks that a workflow can have, by name."""

from yolopv2.errors import YolopError, nearest
from yolopv2.ikomia.perceive import Perceive
from yolopv2.ikomia.steps import Draw, Filter, Write
from yolopv2.ikomia.task import Task

TASKS: dict[str, type[Task]] = {task.name: task for task in (Perceive, Filter, Draw, Write)}
"""All tasks by name."""


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
