"""The file of a workflow: JSON as Ikomia writes it, validated when it is read; reading it runs no code.

A workflow whose only task is ``infer_yolop_v2`` opens in Ikomia too, where the plugin is installed.
"""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from yolopv2.errors import YolopError
from yolopv2.files import write_text_atomic
from yolopv2.ikomia.exposed import Exposed
from yolopv2.ikomia.graph import Graph
from yolopv2.ikomia.registry import create_task
from yolopv2.ikomia.task import Task

_MOST_BYTES = 1 << 22
"""A larger file is no workflow."""

_PYTHON = 1
"""What Ikomia writes for tasks written in Python."""

_ROOT = -1
"""The root's id in the file."""


class _Parameter(BaseModel):
    name: str
    value: str


class _TaskData(BaseModel):
    name: str
    parameters: list[_Parameter] = []
    inputs: list[dict[str, Any]] = []
    outputs: list[dict[str, Any]] = []
    language: int = _PYTHON


class _Task(BaseModel):
    task_id: int = Field(ge=0)
    task_data: _TaskData


class _Connection(BaseModel):
    source_id: int
    source_index: int
    target_id: int
    target_index: int


class _ExposedParameter(BaseModel):
    name: str
    description: str = ""
    task_id: int
    task_param_name: str


class _ExposedOutput(BaseModel):
    description: str = ""
    task_id: int
    task_output_index: int


class _Metadata(BaseModel):
    name: str = "Untitled"
    description: str = ""
    keywords: str = ""


class WorkflowFile(BaseModel):
    """Everything that stands in the file."""

    api: dict[str, str] = {}
    metadata: _Metadata = _Metadata()
    tasks: list[_Task]
    connections: list[_Connection] = []
    exposed_parameters: list[_ExposedParameter] = []
    exposed_outputs: list[_ExposedOutput] = []
    hardware_config: dict[str, Any] = {"is_gpu_required": False, "min_cpu": 1, "min_ram": 1, "min_vram": 0}


def write_workflow(path: str | Path, name: str, graph: Graph, exposed: Exposed) -> None:
    """Writes a workflow.

    Args:
        path: The file.
        name: Of the workflow.
        graph: Its tasks.
        exposed: What it offers of them.

    Raises:
        YolopError: The file cannot be written.
    """
    write_text_atomic(path, workflow_text(name, graph, exposed))


def workflow_text(name: str, graph: Graph, exposed: Exposed) -> str:
    """A workflow as its file has it; see `write_workflow`."""
    ids = {task: number - 1 for number, task in enumerate(graph.tasks)}
    described = WorkflowFile(
        api={"python_version": platform.python_version(), "version": version("yolopv2")},
        metadata=_Metadata(name=name),
        tasks=[_Task(task_id=ids[task], task_data=_described(task)) for task in graph.tasks[1:]],
        connections=[
            _Connection(
                source_id=ids[edge.source],
                source_index=edge.output,
                target_id=ids[edge.target],
                target_index=edge.input,
            )
            for edge in graph.edges
        ],
        exposed_parameters=[
            _ExposedParameter(
                name=offered.name,
                description=offered.description,
                task_id=ids[offered.task],
                task_param_name=offered.parameter,
            )
            for offered in exposed.parameters
        ],
        exposed_outputs=[
            _ExposedOutput(description=offered.description, task_id=ids[offered.task], task_output_index=offered.index)
            for offered in exposed.outputs
        ],
    )
    return described.model_dump_json(indent=4) + "\n"


def _described(task: Task) -> _TaskData:
    return _TaskData(
        name=task.name,
        parameters=[_Parameter(name=name, value=value) for name, value in task.get_parameters().items()],
        inputs=[{"name": f"IODataType.{kind.value}"} for kind in task.inputs],
        outputs=[{"name": f"IODataType.{kind.value}"} for kind in task.outputs],
    )


def read_workflow(path: str | Path) -> tuple[str, Graph, Exposed]:
    """Reads a workflow.

    Args:
        path: A file that `write_workflow` or Ikomia wrote.

    Returns:
        Its name, its tasks, and what it exposes.

    Raises:
        YolopError: It cannot be read, is no workflow, or holds tasks, parameters or connections that cannot be.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise YolopError(f"{path} is too large for a workflow: more than {_MOST_BYTES >> 20} MiB")
        text = path.read_bytes()
    except OSError as error:
        raise YolopError(f"the workflow {path} cannot be read: {error.strerror or error}") from None
    return parse_workflow(text, str(path))


def parse_workflow(text: bytes, where: str) -> tuple[str, Graph, Exposed]:
    """Reads a workflow from what its file holds; see `read_workflow`.

    Args:
        text: The JSON.
        where: What messages call it.

    Raises:
        YolopError: It is no workflow, or not a sound one.
    """
    described = _parsed(text, where)
    graph = Graph()
    tasks: dict[int, Task] = {_ROOT: graph.root}
    try:
        for entry in described.tasks:
            if entry.task_id in tasks:
                raise YolopError(f"two tasks have the id {entry.task_id}")
            task = create_task(entry.task_data.name)
            task.set_parameters({parameter.name: parameter.value for parameter in entry.task_data.parameters})
            graph.add(task)
            tasks[entry.task_id] = task
        for edge in described.connections:
            source, target = (_task_of(tasks, number) for number in (edge.source_id, edge.target_id))
            graph.connect(source, target, [(edge.source_index, edge.target_index)])
        exposed = _exposed(described, tasks)
    except YolopError as error:
        raise YolopError(f"the workflow {where} cannot be loaded: {error}") from None
    return described.metadata.name, graph, exposed


def _parsed(text: bytes, where: str) -> WorkflowFile:
    try:
        return WorkflowFile.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise YolopError(f"{where} is no workflow: {place + ': ' if place else ''}{first['msg']}") from None


def _task_of(tasks: Mapping[int, Task], number: int) -> Task:
    if number not in tasks:
        raise YolopError(f"there is no task with the id {number}")
    return tasks[number]


def _exposed(described: WorkflowFile, tasks: Mapping[int, Task]) -> Exposed:
    exposed = Exposed()
    for parameter in described.exposed_parameters:
        exposed.add_parameter(_task_of(tasks, parameter.task_id), parameter.task_param_name, parameter.model_dump())
    for output in described.exposed_outputs:
        exposed.add_output(_task_of(tasks, output.task_id), output.task_output_index, output.model_dump())
    return exposed
