"""A drive through a generated world: one labelled frame after another, or any one of them."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data.sample import Sample
from yolopv2.errors import YolopError

from .camera import Camera
from .canvas import GROUND, Canvas, Extent
from .conditions import draw_conditions
from .flat import FlatThings
from .ground import GroundLabels, GroundPainter
from .layout import draw_layout
from .road import Alignment, Stretch
from .scenery import SceneryPainter
from .sensor import Bonnet, Sensor
from .sky import SkyPainter
from .surroundings import Surroundings
from .things import Thing
from .traffic import SIGHT, Traffic, crossings
from .vehicles import PlacedVehicle, VehiclePainter
from .viewpoint import Viewpoint
from .weather import Windscreen, mirror_wet_road

CLASS_NAMES = {0: "vehicle"}
"""Names of the class ids in generated samples."""

_MOST_VEHICLES = 120
_LEAST_VISIBLE = 0.12


class Drive:
    """A coherent dash-cam drive, the same for the same arguments.

    Args:
        seed: Makes the road, the traffic, the weather and the camera.
        fps: Frames a second.
        height: Rows, at least 64.
        width: Columns, at least 64.
        weather: One of `yolopv2.data.synthetic.WEATHERS`, or None to draw one.
        time_of_day: One of `yolopv2.data.synthetic.TIMES_OF_DAY`, or None to draw one.

    Raises:
        YolopError: A size, rate or name that cannot be.

    Example:
        >>> samples = list(Drive(seed=3, fps=10, height=96, width=160).frames(2))
        >>> samples[1].image.shape
        (96, 160, 3)
    """

    def __init__(
        self,
        seed: int,
        fps: float = 30.0,
        height: int = 720,
        width: int = 1280,
        weather: str | None = None,
        time_of_day: str | None = None,
    ) -> None:
        if min(height, width) < 64 or fps <= 0 or seed < 0:
            raise YolopError(
                f"A generated drive needs at least 64x64 pixels, a rate over 0 and a seed of 0 or more; "
                f"got {width}x{height}, {fps} frames a second, seed {seed}"
            )
        self.seed, self.fps, self.height, self.width = seed, fps, height, width
        rng = np.random.default_rng([seed, 1])
        self.layout = draw_layout(rng)
        bend, slope = {"city": (0.10, 0.03), "residential": (0.2, 0.04), "highway": (0.4, 0.03), "rural": (0.6, 0.05)}[
            self.layout.style
        ]
        self.alignment = Alignment.draw(rng, bend, slope)
        self.conditions = draw_conditions(np.random.default_rng([seed, 2]), weather, time_of_day)
        self.traffic = Traffic(self.layout, self.conditions, seed)
        self.surroundings = Surroundings(self.layout, seed, go=self.traffic.speed > 3)
        rng = np.random.default_rng([seed, 3])
        self._focal = float(rng.uniform(0.72, 1.12))
        self._lens_height = float(rng.uniform(1.2, 1.65))
        self._horizon = float(rng.uniform(0.38, 0.56))
        self._tilt = float(rng.normal(0, 0.008))
        self._aside = float(np.clip(rng.normal(0, 0.25), -0.5, 0.5))
        self._yaw = float(np.clip(rng.normal(0, 0.015), -0.05, 0.05))
        self._phases = rng.uniform(0, 2 * np.pi, 6)
        self._ground = GroundPainter(self.layout, self.conditions, rng, self.surroundings.lamp_every)
        self._sky = SkyPainter(self.conditions, self.layout.style, rng)
        self._sensor = Sensor.draw(rng, self.conditions)
        self._bonnet = Bonnet.draw(rng)
        self._windscreen = Windscreen(self.conditions, rng)

    def frames(self, count: int) -> Iterator[Sample]:
        """The first `count` frames."""
        for index in range(count):
            yield self.frame(index)

    def frame(self, index: int) -> Sample:
        """One frame of the drive, whatever was rendered before."""
        time = index / self.fps
        ego_s = self.traffic.ego_s(time)
        camera, stretch = self._look(time, ego_s)
        canvas = Canvas.blank(self.height, self.width)
        self._sky.paint(canvas, camera, stretch)
        placed = [PlacedVehicle.on(stretch, vehicle) for vehicle in self.traffic.at(time)]
        vehicles = sorted((v for v in placed if v.in_view(camera)), key=lambda v: v.distance)[:_MOST_VEHICLES]
        things = [(s, thing) for s, thing in self.surroundings.at(ego_s) if s > ego_s - 14]
        roads = crossings(self.layout, ego_s - 20, ego_s + SIGHT)
        flat = FlatThings(self.layout, self.conditions, camera, stretch, self.seed)
        flat.mends(ego_s)
        flat.crossroads(roads)
        flat.shadows(vehicles, [thing for _, thing in things])
        ground = self._ground.paint(canvas, camera, stretch, ego_s, flat.patch)
        covered = self._stand(Viewpoint(canvas, camera, stretch, self.conditions), vehicles, things)
        mirror_wet_road(canvas, camera, stretch, self.conditions, ground.ground)
        canvas.flush_glow()
        rng = np.random.default_rng([self.seed, 9, index])
        self._bonnet.paint(canvas, self.conditions)
        self._windscreen.cover(canvas.image, rng)
        image = self._sensor.expose(canvas.image, rng)
        return _sample(image, canvas, ground, covered, f"generated scene {self.seed}, frame {index}")

    def _look(self, time: float, ego_s: float) -> tuple[Camera, Stretch]:
        """Where the camera is and how it is turned."""
        p, lively = self._phases, min(self.traffic.speed / 10, 1.0)
        bounce = 0.0022 * np.sin(7.3 * time + p[0]) + 0.0016 * np.sin(12.1 * time + p[1])
        camera = Camera(
            height=self.height,
            width=self.width,
            focal=self._focal * self.width,
            lens_height=self._lens_height + 0.012 * lively * float(np.sin(7.3 * time + p[0])),
            pitch=float(np.arctan((self._horizon - 0.5) * self.height / (self._focal * self.width)) + bounce * lively),
            roll=float(self._tilt + 0.003 * lively * np.sin(2.7 * time + p[2])),
        )
        lane = self.layout.lanes[self.layout.ego]
        sway = self._aside + 0.12 * lively * float(np.sin(0.5 * time + p[3]))
        yaw = self._yaw + 0.006 * lively * float(np.sin(0.5 * time + p[3] + 1.5))
        return camera, self.alignment.ahead(ego_s, lane.t + sway, yaw)

    def _stand(self, view: Viewpoint, vehicles: list[PlacedVehicle], things: list[tuple[float, Thing]]) -> list[Extent]:
        """Paint all that stands on the ground, far things first; returns what each vehicle covered."""
        painter, scenery = VehiclePainter(view, self._ground.beam), SceneryPainter(view)
        queue: list[tuple[float, PlacedVehicle | Thing]] = [(v.vehicle.s, v) for v in vehicles]
        queue.extend(things)
        covered: list[Extent] = []
        for _, item in sorted(queue, key=lambda pair: -pair[0]):
            if isinstance(item, PlacedVehicle):
                covered.append(painter.paint(item, len(covered) + 1))
            else:
                scenery.paint(item)
        return covered


def render_scene(
    seed: int,
    height: int = 720,
    width: int = 1280,
    weather: str | None = None,
    time_of_day: str | None = None,
) -> Sample:
    """Render one labelled scene, the same for the same arguments.

    Args:
        seed: Makes everything that is not given.
        height: Rows, at least 64.
        width: Columns, at least 64.
        weather: One of `yolopv2.data.synthetic.WEATHERS`, or None to draw one.
        time_of_day: One of `yolopv2.data.synthetic.TIMES_OF_DAY`, or None to draw one.

    Raises:
        YolopError: A size or name that cannot be.

    Example:
        >>> scene = render_scene(seed=1, height=96, width=160, weather="rain")
        >>> scene.boxes.shape[0] == len(scene.masks) == len(scene.class_ids)
        True
    """
    return Drive(seed, height=height, width=width, weather=weather, time_of_day=time_of_day).frame(0)


def _sample(
    image: NDArray[np.uint8], canvas: Canvas, ground: GroundLabels, covered: list[Extent], source: str
) -> Sample:
    """Labels from what is left to see of everything."""
    height, width = canvas.labels.shape
    least = max(4.0, width / 200)
    boxes: list[tuple[int, int, int, int]] = []
    numbers: list[int] = []
    for number, extent in enumerate(covered, start=1):
        if extent.pixels < least * least:
            continue
        left, top, right, bottom = extent.window
        seen = cv2.inRange(canvas.labels[top:bottom, left:right], number, number)
        x, y, wide, high = cv2.boundingRect(seen)
        if min(wide, high) >= least and cv2.countNonZero(seen) >= _LEAST_VISIBLE * extent.pixels:
            boxes.append((left + x, top + y, left + x + wide, top + y + high))
            numbers.append(number)
    masks = np.zeros((len(boxes), height, width), bool)
    for mask, number, (x1, y1, x2, y2) in zip(masks, numbers, boxes, strict=True):
        mask[y1:y2, x1:x2] = canvas.labels[y1:y2, x1:x2] == number
    bare = (canvas.labels == GROUND).astype(np.uint8)
    return Sample(
        image=image,
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        class_ids=np.zeros(len(boxes), np.int64),
        drivable=ground.drivable * bare,
        lanes=ground.lanes * bare,
        masks=masks,
        source=source,
    )
