"""Parameters of tasks: given as strings, as Ikomia's are, or as what they mean; unknown ones are refused."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from yolopv2.errors import YolopError, nearest
from yolopv2.geometry.letterbox import Letterbox

P = TypeVar("P", bound="Parameters")


class Parameters(BaseModel):
    """What a task can be told; immutable.

    Example:
        >>> parameters = InferParameters().updated({"conf_thres": "0.4", "road_lane": False}, "infer_yolop_v2")
        >>> parameters.conf_thres, parameters.strings()["road_lane"]
        (0.4, 'False')
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())

    def updated(self: P, values: Mapping[str, Any], task: str) -> P:
        """These parameters with some of them changed.

        Args:
            values: Strings, or what they stand for, by name.
            task: Name of the task, for messages.

        Raises:
            YolopError: There is no such parameter (the nearest name is told), or a value cannot be.
        """
        known = type(self).model_fields
        for name in values:
            if name not in known:
                raise YolopError(f"{task} has no parameter {name!r}{nearest(str(name), known)}")
        try:
            return type(self).model_validate({**self.model_dump(), **values})
        except ValidationError as error:
            first = error.errors()[0]
            where, given = first["loc"][0], str(first["input"])[:60]
            raise YolopError(f"{task}, parameter {where!r}: {first['msg']}, got {given!r}") from None

    def strings(self) -> dict[str, str]:
        """All values by name, as strings."""
        return {name: str(value) for name, value in self.model_dump().items()}


def _fits_the_network(size: int) -> int:
    try:
        Letterbox.fit(1, 1, size)
    except YolopError as error:
        raise ValueError(str(error)) from None
    return size


class InferParameters(Parameters):
    """Parameters of ``infer_yolop_v2``.

    Attributes:
        input_size: Long side that the network sees, in pixels, a multiple of 32.
        conf_thres: Least confidence of a vehicle.
        iou_thres: Boxes that overlap by more than this are one vehicle.
        object: Whether vehicles are wanted.
        road_lane: Whether drivable area and lanes are wanted.
        cuda: Whether a GPU is used where there is one.
        update: Whether the model is loaded anew at the next run.
        model_name: A name of `yolopv2 models list`.
        model_weight_file: A file of weights, which then counts instead of the name.
        precision: ``auto`` (float32), ``float32``, ``bfloat16`` or ``float16`` where the device has it.
    """

    input_size: int = 640
    conf_thres: float = Field(default=0.2, ge=0, le=1)
    iou_thres: float = Field(default=0.45, ge=0, le=1)
    object: bool = True
    road_lane: bool = True
    cuda: bool = True
    update: bool = False
    model_name: str = "nano"
    model_weight_file: str = ""
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"

    _size = field_validator("input_size")(_fits_the_network)


class TrainParameters(Parameters):
    """Parameters of ``train_yolop_v2``.

    Attributes:
        model_name: A name of `yolopv2 models list` to start from, or ``nano``, ``small``, ``base`` for a network of
            that size; those that are no name of the list start from random weights.
        model_weight_file: A file of weights to start from, which then counts instead of the name.
        epochs: Rounds through the data.
        batch_size: Frames per step.
        train_imgsz: Width of the canvas in pixels, a multiple of 32; its height is that of a frame of 16:9.
        dataset_split_ratio: Share of the frames that are learned from; the rest is validated on.
        output_folder: Where runs go, each into a folder of its own; empty for a folder among Ikomia's data.
    """

    model_name: str = "nano"
    model_weight_file: str = ""
    epochs: int = Field(default=10, ge=1)
    batch_size: int = Field(default=8, ge=1)
    train_imgsz: int = 640
    dataset_split_ratio: float = Field(default=0.9, gt=0, le=1)
    output_folder: str = ""

    _size = field_validator("train_imgsz")(_fits_the_network)


class FilterParameters(Parameters):
    """Parameters of ``filter``: a vehicle is kept that meets all of them.

    Attributes:
        categories: Names of classes with commas, or ``all``.
        confidence: Least confidence.
        region: Empty for the whole frame; four numbers ``x1,y1,x2,y2`` for a rectangle, or the corners
            ``x,y,x,y,x,y...`` of a polygon, in pixels: the middle of a box's lower edge, where the vehicle stands,
            must lie in it.
        min_area: Least area of a box in square pixels.
        max_area: Largest area of a box in square pixels; 0 for any.
    """

    categories: str = "all"
    confidence: float = Field(default=0.0, ge=0, le=1)
    region: str = ""
    min_area: float = Field(default=0.0, ge=0)
    max_area: float = Field(default=0.0, ge=0)

    @field_validator("region")
    @classmethod
    def _corners(cls, region: str) -> str:
        try:
            count = len([float(number) for number in region.split(",")]) if region.strip() else 4
        except ValueError:
            raise ValueError("write numbers with commas: x1,y1,x2,y2 or the corners of a polygon") from None
        if count < 4 or count % 2:
            raise ValueError(f"{count} numbers are neither a rectangle nor corners of a polygon")
        return region


class DrawParameters(Parameters):
    """Parameters of ``draw``.

    Attributes:
        layers: What is drawn, with commas: see `yolopv2.Scene.draw`.
    """

    layers: str = "drivable,lanes,masks,boxes,labels"


class WriteParameters(Parameters):
    """Parameters of ``write``.

    Attributes:
        folder: Where to; it is made if it does not exist.
        save: What is written, with commas, as with `yolopv2 predict --save`: ``image`` (a ``.jpg`` for each picture, an
            ``.mp4`` for each video), ``json`` (``scenes.jsonl``, always), ``coco``, ``yolo``, ``masks``, ``panoptic``.
    """

    folder: str = "runs/workflow"
    save: str = "image,json"


def words(text: str) -> list[str]:
    """The entries of a text with commas."""
    return [word.strip() for word in text.split(",") if word.strip()]
