"""What a page asks for, checked."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from yolopv2.inference import Thresholds
from yolopv2.scene.palette import DRIVABLE, LANE, VEHICLES
from yolopv2.studio.look import LEAST_CONF

Layer = Literal["drivable", "lanes", "lane_lines", "masks", "boxes", "labels", "panoptic"]

PALETTE = {"vehicles": VEHICLES, "drivable": DRIVABLE, "lanes": LANE}
"""The colours of the library's own pictures."""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Sliders(_Asked):
    """Where the sliders stand; see `yolopv2.inference.Thresholds`."""

    conf: float = Field(0.3, ge=LEAST_CONF, le=1)
    iou: float = Field(0.45, ge=0, le=1)
    drivable_conf: float = Field(0.5, ge=0, le=1)
    lane_conf: float = Field(0.5, ge=0, le=1)

    def thresholds(self) -> Thresholds:
        """As the library takes them."""
        return Thresholds(self.conf, self.iou, drivable_conf=self.drivable_conf, lane_conf=self.lane_conf)


class Export(_Asked):
    """How a video is to be written."""

    sliders: Sliders
    layers: list[Layer] = Field(max_length=7)


class Archive(Export):
    """How the results of a batch are to be written.

    Attributes:
        drawn: Whether pictures and videos with what was seen are wanted too.
    """

    drawn: bool = False


class RunOn(_Asked):
    """A workflow, and what it is to work on: one of the following.

    Attributes:
        workflow: As its file has it.
        picture: A picture's id.
        video: A video's id.
        frame: One frame of that video, or None for all.
        batch: A batch's id.
    """

    workflow: dict[str, Any]
    picture: str | None = None
    video: str | None = None
    frame: int | None = Field(None, ge=0)
    batch: str | None = None


class Generated(_Asked):
    """A generated scene, or a drive where frames are given."""

    seed: int = Field(ge=0, lt=2**31)
    weather: Literal["clear", "overcast", "rain", "fog", "snow"] | None = None
    time: Literal["day", "dusk", "night"] | None = None
    frames: int | None = Field(None, ge=1, le=900)


class Source(_Asked):
    """Where something to look at comes from: one of these."""

    url: str | None = Field(None, max_length=2000)
    generated: Generated | None = None
