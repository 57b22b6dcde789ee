"""A look: what the network gave for one frame before anything is decided, small enough to keep and to send."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.files import encode_image
from yolopv2.geometry.boxes import nms
from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference import Thresholds
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.postprocess import to_scene
from yolopv2.media import Frame
from yolopv2.scene import Scene, Vehicles
from yolopv2.scene.schema import shortest

LEAST_CONF = 0.05
"""Less confident candidates are not kept; the slider ends here."""

MOST_CANDIDATES = 1000
"""The most confident ones are kept."""


@dataclass(frozen=True, eq=False)
class Look:
    """What the network gave for one frame.

    Attributes:
        vehicles: Candidates of at least `LEAST_CONF` before suppression, the most confident first.
        drivable: Probability of drivable area times 255 as a grey PNG of the network's resolution, or None.
        lanes: Probability of lane markings, likewise.
        letterbox: From those maps, which have no padding, to the frame.
        names: Class names by class id.
        milliseconds: That the look took: letterbox and network.
    """

    vehicles: Vehicles
    drivable: bytes | None
    lanes: bytes | None
    letterbox: Letterbox
    names: dict[int, str]
    milliseconds: float

    @classmethod
    def of(
        cls, looked: tuple[Candidates, int, Letterbox], frame: Frame, names: dict[int, str], milliseconds: float
    ) -> "Look":
        """Keeps what is needed of what `Predictor.look` gave for a frame."""
        candidates, row, letterbox = looked
        # No overlap is above 1, so nothing is suppressed.
        everything = Thresholds(conf=LEAST_CONF, iou=1.0, max_det=MOST_CANDIDATES)
        vehicles = to_scene(candidates, row, letterbox, everything, names, frame).vehicles
        return cls(
            vehicles=vehicles,
            drivable=_png(candidates.drivable, row, letterbox),
            lanes=_png(candidates.lanes, row, letterbox),
            letterbox=replace(
                letterbox,
                canvas_height=letterbox.scaled_height,
                canvas_width=letterbox.scaled_width,
                top=0,
                left=0,
            ),
            names=names,
            milliseconds=milliseconds,
        )

    def decide(self, thresholds: Thresholds, frame: Frame) -> Scene:
        """The scene that the library gives with these thresholds; ``conf`` is at least `LEAST_CONF`."""
        likely = np.flatnonzero(self.vehicles.confidence >= thresholds.conf)
        found = self.vehicles[likely]
        class_ids = None if thresholds.agnostic else found.class_id
        kept = likely[nms(found.xyxy, found.confidence, class_ids, thresholds.iou, thresholds.max_det)]
        return Scene(
            vehicles=self.vehicles[kept],
            drivable=self._mask(self.drivable, thresholds.drivable_conf),
            lanes=self._mask(self.lanes, thresholds.lane_conf),
            names=self.names,
            height=self.letterbox.frame_height,
            width=self.letterbox.frame_width,
            source=frame.source,
            index=frame.index,
            time=frame.time,
            image=frame.image,
        )

    def _mask(self, png: bytes | None, threshold: float) -> NDArray[np.bool_] | None:
        return None if png is None else self.letterbox.mask_to_frame(_pixels(png), threshold)

    def candidates(self) -> list[list[float | int]]:
        """``x1 y1 x2 y2 confidence class`` of each candidate."""
        vehicles = self.vehicles
        columns = np.column_stack([vehicles.xyxy, vehicles.confidence]).astype(np.float32)
        return [[*map(shortest, row), int(class_id)] for row, class_id in zip(columns, vehicles.class_id, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """What the page needs besides the maps."""
        instances = self.vehicles.instances
        return {
            "height": self.letterbox.frame_height,
            "width": self.letterbox.frame_width,
            "names": {str(class_id): name for class_id, name in self.names.items()},
            "candidates": self.candidates(),
            "masks": None if instances is None else [instances.rle(row) for row in range(len(instances))],
            "milliseconds": round(self.milliseconds, 2),
        }

    def to_curves(self) -> dict[str, Any]:
        """What the plots along a video need: candidates, and how often each probability occurs in the maps."""
        return {"candidates": self.candidates(), **self.counts()}

    def counts(self) -> dict[str, list[int] | None]:
        """How often each of the 256 probabilities occurs in ``drivable`` and in ``lanes``, None where there is none."""
        maps = {"drivable": self.drivable, "lanes": self.lanes}
        return {
            name: None if png is None else np.bincount(_pixels(png).ravel(), minlength=256).tolist()
            for name, png in maps.items()
        }


def _png(maps: NDArray[np.uint8] | None, row: int, box: Letterbox) -> bytes | None:
    """The part of one canvas that the frame lies on."""
    if maps is None:
        return None
    inside = maps[row, box.top : box.top + box.scaled_height, box.left : box.left + box.scaled_width]
    return encode_image(np.ascontiguousarray(inside), ".png")


def _pixels(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
