"""Graph: the tasks of a workflow and how they are connected."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from yolopv2.errors import YolopError
from yolopv2.ikomia.outputs import ImageIO, IODataType
from yolopv2.ikomia.task import Task, ports


class Root(Task):
    """Where every workflow starts: gives the input of the workflow."""

    name = "root"
    inputs = ()
    outputs = (IODataType.IMAGE,)

    def give(self, image: ImageIO) -> None:
        """Sets the picture."""
        self._results = [image]


class Edge(NamedTuple):
    """One connection: an output of a task feeds an input of another."""

    source: Task
    output: int
    target: Task
    input: int


class Graph:
    """Tasks in the order they were added, and their connections, which never go round in a circle.

    Attributes:
        root: The task that gives the input.
        tasks: All tasks, the root first.
        edges: All connections.
    """

    def __init__(self) -> None:
        self.root = Root()
        self.tasks: list[Task] = [self.root]
        self.edges: list[Edge] = []

    def add(self, task: Task) -> None:
        """Adds a task, unconnected.

        Raises:
            YolopError: It is there already.
        """
        if task in self.tasks:
            raise YolopError(f"{task.name} is already part of this workflow: add another task of the same name")
        self.tasks.append(task)

    def remove(self, task: Task) -> None:
        """Removes a task and its connections.

        Raises:
            YolopError: It is not there, or the root.
        """
        self.check(task)
        if task is self.root:
            raise YolopError("the root cannot be removed: it gives the workflow its input")
        self.tasks.remove(task)
        self.edges = [edge for edge in self.edges if task not in (edge.source, edge.target)]

    def connect(self, source: Task, target: Task, edges: Iterable[Sequence[int]] | None) -> None:
        """Connects two tasks.

        Args:
            source: Its outputs feed the target.
            target: Takes them.
            edges: Pairs of an output of the source and an input of the target; if none, every free input of the target
                takes the first output of its kind.

        Raises:
            YolopError: A task is not part of the workflow, or the connection cannot be.
        """
        self.check(source)
        self.check(target)
        new = [self._edge(source, pair, target) for pair in edges or self._matching(source, target)]
        if not new:
            raise YolopError(
                f"{source.name} cannot be connected to {target.name}: no output fits a free input. Outputs: "
                f"{ports(source.outputs)}. Inputs: {ports(target.inputs)}"
            )
        for edge in new:
            self._check_edge(edge)
            self.edges.append(edge)

    def order(self) -> list[Task]:
        """All tasks but the root, each after those that feed it."""
        done: list[Task] = [self.root]
        waiting = self.tasks[1:]
        while waiting:
            ready = [task for task in waiting if all(parent in done for parent in self.parents(task))]
            done += ready
            waiting = [task for task in waiting if task not in ready]
        return done[1:]

    def parents(self, task: Task) -> list[Task]:
        """The tasks that feed a task."""
        return [edge.source for edge in self.edges if edge.target is task]

    def check(self, task: Task) -> None:
        """Refuses a task that is not part of the workflow.

        Raises:
            YolopError: It is not.
        """
        if task not in self.tasks:
            raise YolopError(f"{getattr(task, 'name', task)!s} is not part of this workflow: add it with add_task")

    def _matching(self, source: Task, target: Task) -> list[tuple[int, int]]:
        taken = {edge.input for edge in self.edges if edge.target is target}
        return [
            (source.outputs.index(kind), index)
            for index, kind in enumerate(target.inputs)
            if index not in taken and kind in source.outputs
        ]

    def _edge(self, source: Task, pair: Sequence[int], target: Task) -> Edge:
        if isinstance(pair, str) or len(pair) != 2 or not all(isinstance(index, int) for index in pair):
            raise YolopError(f"{pair!r} is no edge: write (output of {source.name}, input of {target.name})")
        output, index = pair
        if not 0 <= output < len(source.outputs):
            raise YolopError(f"{source.name} has no output {output}; {ports(source.outputs)}")
        if not 0 <= index < len(target.inputs):
            raise YolopError(f"{target.name} has no input {index}; {ports(target.inputs)}")
        return Edge(source, output, target, index)

    def _check_edge(self, edge: Edge) -> None:
        given, taken = edge.source.outputs[edge.output], edge.target.inputs[edge.input]
        names = f"output {edge.output} of {edge.source.name}", f"input {edge.input} of {edge.target.name}"
        if given is not taken:
            raise YolopError(f"{names[0]} is {given.value} but {names[1]} takes {taken.value}: they do not fit")
        for other in self.edges:
            if other.target is edge.target and other.input == edge.input:
                raise YolopError(f"{names[1]} is already fed by {other.source.name}: it takes one connection")
        if edge.source is edge.target or self._leads(edge.target, edge.source):
            raise YolopError(f"connecting {edge.source.name} to {edge.target.name} would go round in a circle")

    def _leads(self, start: Task, end: Task) -> bool:
        """Whether connections lead from one task to another."""
        reached, waiting = {start}, [start]
        while waiting:
            task = waiting.pop()
            nexts = [edge.target for edge in self.edges if edge.source is task and edge.target not in reached]
            reached.update(nexts)
            waiting += nexts
        return end in reached
