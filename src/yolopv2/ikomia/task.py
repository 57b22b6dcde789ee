"""Task: one step of a workflow, with inputs, outputs and parameters."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError
from yolopv2.ikomia.outputs import IO, ImageIO, IODataType, joined_scene
from yolopv2.ikomia.parameters import Parameters

ALL_KINDS = tuple(IODataType)


class Task:
    """One step of a workflow: takes its inputs, gives its outputs.

    Attributes:
        name: What it is called in workflows.
        inputs: The kind of each input.
        outputs: The kind of each output.
        needs: Indices of the inputs without which it cannot run.
        params: Its parameters.
    """

    name: ClassVar[str] = ""
    inputs: ClassVar[tuple[IODataType, ...]] = ALL_KINDS
    outputs: ClassVar[tuple[IODataType, ...]] = ALL_KINDS
    needs: ClassVar[tuple[int, ...]] = ()
    params: Parameters = Parameters()

    def __init__(self) -> None:
        self._given: dict[int, IO | None] = {}
        self._results: list[IO | None] = []

    def __repr__(self) -> str:
        return f"<task {self.name}>"

    def set_parameters(self, params: Mapping[str, Any]) -> None:
        """Changes parameters, given as strings or as what they mean.

        Raises:
            YolopError: There is no such parameter, or a value cannot be.
        """
        self.params = self.params.updated(params, self.name)

    def get_parameters(self) -> dict[str, str]:
        """All parameters by name, as strings."""
        return self.params.strings()

    def set_input(self, io: IO | None, index: int) -> None:
        """Puts what is to be worked on into an input.

        Raises:
            YolopError: There is no such input, or it takes another kind.
        """
        if not 0 <= index < len(self.inputs):
            raise YolopError(f"{self.name} has no input {index}; {ports(self.inputs)}")
        if io is not None and io.data_type is not self.inputs[index]:
            raise YolopError(f"input {index} of {self.name} takes {self.inputs[index].value}, not {io.data_type.value}")
        self._given[index] = io

    def get_output(self, index: int) -> Any:
        """What the last run gave at an index.

        Raises:
            YolopError: It has not run, or there is no such output.
        """
        if not 0 <= index < len(self.outputs):
            raise YolopError(f"{self.name} has no output {index}; {ports(self.outputs)}")
        if not self._results:
            raise YolopError(f"{self.name} has not run yet: call run_on(...) of its workflow first")
        if self._results[index] is None:
            raise YolopError(f"output {index} of {self.name} is empty: connect the input that it comes from")
        return self._results[index]

    def get_outputs(self) -> list[IO]:
        """Everything that the last run gave; nothing before the first."""
        return [io for io in self._results if io is not None]

    def output_at(self, index: int) -> IO | None:
        """What the last run gave at an index, None where nothing was connected."""
        return self._results[index]

    def clear(self) -> None:
        """Forgets inputs and outputs."""
        self._given, self._results = {}, []

    def begin(self, files: Sequence[str]) -> None:
        """Is called before the first frame of a run, with the paths of the files that will be read."""

    def end(self) -> None:
        """Is called after the last frame of a run, whatever ended it."""

    def run(self) -> None:
        """Works on the inputs.

        Raises:
            YolopError: An input that it needs is missing, or something in it cannot be done.
        """
        for index in self.needs:
            if self._given.get(index) is None:
                kind = self.inputs[index].value
                raise YolopError(f"input {index} of {self.name} ({kind}) got nothing: connect it with connect_tasks")
        self._results = self.process([self._given.get(index) for index in range(len(self.inputs))])

    def process(self, given: list[IO | None]) -> list[IO | None]:
        """Makes the outputs of the inputs."""
        raise NotImplementedError

    def get_image_with_graphics(self) -> NDArray[np.uint8]:
        """The picture with boxes and labels, uint8 ``[H, W, 3]`` RGB."""
        return self._draw(("masks", "boxes", "labels"))

    def get_image_with_mask(self) -> NDArray[np.uint8]:
        """The picture with drivable area and lanes, uint8 ``[H, W, 3]`` RGB."""
        return self._draw(("drivable", "lanes"))

    def get_image_with_mask_and_graphics(self) -> NDArray[np.uint8]:
        """The picture with everything, uint8 ``[H, W, 3]`` RGB."""
        return self._draw(("drivable", "lanes", "masks", "boxes", "labels"))

    def _draw(self, layers: tuple[str, ...]) -> NDArray[np.uint8]:
        image: ImageIO = self.get_output(0)
        return joined_scene(image.frame, self._results).draw(image.get_image(), layers)


def ports(kinds: tuple[IODataType, ...]) -> str:
    """The end of a sentence about an input or output that does not exist: which there are."""
    listed = ", ".join(f"{index} {kind.value}" for index, kind in enumerate(kinds))
    return f"there are: {listed}" if listed else "there is none"
