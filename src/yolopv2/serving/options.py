"""The options of a request, wherever they stand: in the address, in a form, or in JSON."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Name = Annotated[str, Field(max_length=100)]
Format = Literal["json", "png", "jpeg"]


class Options(BaseModel):
    """How to look."""

    model_config = ConfigDict(extra="forbid")

    model: Name | None = Field(default=None, description="Name of GET /v1/models; the service's first if left out.")
    conf: float = Field(default=0.3, ge=0, le=1, allow_inf_nan=False, description="Least confidence of a vehicle.")
    iou: float = Field(
        0.45, ge=0, le=1, allow_inf_nan=False, description="Of boxes that overlap by more the less confident goes."
    )
    classes: list[Name] | None = Field(
        None, max_length=100, description="Ids or names of the classes to keep, also with commas; all if left out."
    )
    max_det: int = Field(default=300, ge=1, le=1000, description="At most this many vehicles per picture.")
    agnostic: bool = Field(default=False, description="Whether boxes of different classes suppress each other.")

    @field_validator("classes", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        entries = [value] if isinstance(value, str | int) and not isinstance(value, bool) else value
        if not isinstance(entries, list | tuple):
            return entries
        return [part.strip() for entry in entries for part in str(entry).split(",") if part.strip()] or None

    def thresholds(self) -> dict[str, Any]:
        """The arguments of `YOLOPv2.thresholds`."""
        return self.model_dump(exclude={"model"}, include=set(Options.model_fields))


class PredictOptions(Options):
    """How to look at pictures, and what to answer with."""

    format: Format | None = Field(default=None, description="Of the answer; without it the header Accept decides.")


class ImageInput(BaseModel):
    """One picture in JSON."""

    model_config = ConfigDict(extra="forbid")

    data: str | None = Field(default=None, description="The file's content in base64.")
    url: str | None = Field(
        None, max_length=2000, description="Where it is to be fetched, from a host that the service allows."
    )
    name: str | None = Field(default=None, max_length=255, description="What the scene is to call it.")

    @model_validator(mode="after")
    def _one(self) -> "ImageInput":
        if (self.data is None) == (self.url is None):
            raise ValueError("give either data or url")
        return self


class PredictBody(PredictOptions):
    """Pictures in JSON, and how to look at them."""

    images: list[ImageInput] = Field(min_length=1, description="The pictures.")
