"""What a workflow offers of its tasks: parameters under names of its own, and outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from yolopv2.errors import YolopError, nearest
from yolopv2.ikomia.task import Task, ports


@dataclass(frozen=True)
class ExposedParameter:
    """A parameter of a task under a name of the workflow's."""

    task: Task
    parameter: str
    name: str
    description: str


@dataclass(frozen=True)
class ExposedOutput:
    """An output of a task."""

    task: Task
    index: int
    description: str


@dataclass
class Exposed:
    """Everything that a workflow offers.

    Attributes:
        parameters: In the order they were exposed.
        outputs: The same.
    """

    parameters: list[ExposedParameter] = field(default_factory=list)
    outputs: list[ExposedOutput] = field(default_factory=list)

    def add_parameter(self, task: Task, parameter: str, info: Mapping[str, Any]) -> None:
        """Offers a parameter.

        Args:
            task: The task.
            parameter: Name of the parameter.
            info: ``name`` under which it is offered, its own if empty or missing, and ``description``.

        Raises:
            YolopError: The task has no such parameter, or another one is offered under this name.
        """
        known = task.get_parameters()
        if parameter not in known:
            raise YolopError(f"{task.name} has no parameter {parameter!r}{nearest(str(parameter), known)}")
        name = info.get("name") or parameter
        if name in self.by_name():
            raise YolopError(f"two parameters would be exposed as {name!r}: give one of them another name")
        self.parameters.append(ExposedParameter(task, parameter, name, info.get("description") or ""))

    def add_output(self, task: Task, index: Any, info: Mapping[str, Any]) -> None:
        """Offers an output.

        Args:
            task: The task.
            index: Of the output.
            info: ``description``.

        Raises:
            YolopError: The task has no such output.
        """
        if not isinstance(index, int) or not 0 <= index < len(task.outputs):
            raise YolopError(f"{task.name} has no output {index}; {ports(task.outputs)}")
        self.outputs.append(ExposedOutput(task, index, info.get("description") or ""))

    def by_name(self) -> dict[str, ExposedParameter]:
        """The parameters by the names they are offered under."""
        return {parameter.name: parameter for parameter in self.parameters}

    def forget(self, task: Task) -> None:
        """Offers nothing more of a task."""
        self.parameters = [parameter for parameter in self.parameters if parameter.task is not task]
        self.outputs = [output for output in self.outputs if output.task is not task]
