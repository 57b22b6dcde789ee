"""A drive through a generated world: one labelled frame after another, or any one of them."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.data.sample import Sample
from yolopv2.errors import YolopError

from .camera import NEAR, Camera
from .canvas import GROUND, Canvas
from .conditions import draw_conditions
from .ground import GroundLabels, GroundPainter, GroundPatch
from .layout import draw_layout
from .road import Alignment, Stretch
from .scenery import Building, Plant, SceneryPainter, Thing
from .sensor import Bonnet, Sensor
from .sky import SkyPainter
from .surroundings import Surroundings
from .traffic import SIGHT, Crossing, Traffic, crossings
from .vehicles import Vehicle, VehiclePainter, footprint
from .weather import Windscreen, mirror_wet_road

CLASS_NAMES = {0: "vehicle"}
"""Names of the class ids in generated samples."""

_MOST_VEHICLES = 120
_LEAST_VISIBLE = 0.12

Points = NDArray[np.float64]


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
        self.surroundings = Surroundings(self.layout, seed)
        self.traffic = Traffic(self.layout, self.conditions, seed)
        rng = np.random.default_rng([seed, 3])
        self._start = float(rng.uniform(0, 3000))
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
        vehicles = list(self.traffic.at(time))
        things = [(s, thing) for s, thing in self.surroundings.at(ego_s) if s > ego_s - 14]
        roads = crossings(self.layout, ego_s - 20, ego_s + SIGHT)
        patch = _flat_things(self, camera, stretch, ego_s, roads)
        patch.shadows.extend(self._shadows(camera, stretch, vehicles, things))
        beneath = (_ground_hull(camera, stretch, footprint(vehicle, stretch, 0.06)) for vehicle in vehicles)
        patch.contact.extend(hull for hull in beneath if hull is not None)
        ground = self._ground.paint(canvas, camera, stretch, ego_s, patch)
        painter = VehiclePainter(canvas, camera, stretch, self.conditions, self._ground.beam)
        covered = self._stand(canvas, camera, stretch, ego_s, vehicles, things, painter)
        mirror_wet_road(canvas, camera, stretch, self.conditions, ground.ground)
        painter.shine()
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

    def _stand(
        self,
        canvas: Canvas,
        camera: Camera,
        stretch: Stretch,
        ego_s: float,
        vehicles: list[Vehicle],
        things: list[tuple[float, Thing]],
        painter: VehiclePainter,
    ) -> list[int]:
        """Paint all that stands on the ground, far things first; returns the pixels each vehicle covered."""
        scenery = SceneryPainter(canvas, camera, stretch, self.conditions)
        near = sorted(vehicles, key=lambda v: abs(v.s - ego_s))[:_MOST_VEHICLES]
        queue: list[tuple[float, Vehicle | Thing]] = [(v.s, v) for v in near]
        queue.extend(things)
        covered: list[int] = []
        for _, item in sorted(queue, key=lambda pair: -pair[0]):
            if isinstance(item, Vehicle):
                covered.append(painter.paint(item, len(covered) + 1))
            else:
                scenery.paint(item)
        return covered

    def _shadows(
        self, camera: Camera, stretch: Stretch, vehicles: list[Vehicle], things: list[tuple[float, Thing]]
    ) -> list[Points]:
        """Pixel polygons in the shade of what stands on the ground."""
        if not self.conditions.sun.any():
            return []
        azimuth = self.conditions.sun_azimuth - stretch.bearing
        reach = min(1 / np.tan(self.conditions.sun_elevation), 5.0)
        away = -np.array([np.sin(azimuth), np.cos(azimuth), 0.0]) * reach
        outlines: list[Points] = []
        for vehicle in vehicles:
            base = footprint(vehicle, stretch)
            top = (base - base.mean(axis=0)) * 0.8 + base.mean(axis=0) + away * vehicle.size[2] * 0.9
            outlines.append(np.concatenate([base, top]))
        for _, thing in things:
            if isinstance(thing, Building):
                side = float(np.sign(thing.t))
                base = stretch.to_ego(
                    np.array([thing.start, thing.end, thing.end, thing.start]),
                    thing.t + side * np.array([0, 0, 8.0, 8.0]),
                )
                outlines.append(np.concatenate([base, base + away * thing.height]))
            elif isinstance(thing, Plant) and thing.height > 2.5:
                foot = stretch.to_ego(thing.s, thing.t)
                turn = np.linspace(0, 2 * np.pi, 9)[:-1]
                crown = foot + away * thing.height * 0.65
                wide = thing.height * 0.3
                outlines.append(crown + np.stack([wide * np.cos(turn), wide * np.sin(turn), 0 * turn], -1))
        return [hull for outline in outlines if (hull := _ground_hull(camera, stretch, outline)) is not None]


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


def _flat_things(drive: Drive, camera: Camera, stretch: Stretch, ego_s: float, roads: list[Crossing]) -> GroundPatch:
    """Crossroads with their crosswalks and stop lines, as pixel polygons."""
    patch = GroundPatch([], [], [], [], [])
    layout = drive.layout
    left, right = layout.road
    for road in roads:
        across = np.linspace(-44, 44, 23)
        _add(patch.bare, camera, stretch, (road.s - road.half, road.s + road.half), across)
        style = int(np.random.default_rng([drive.seed, 8, round(road.s * 8) & 0xFFFF]).integers(4))
        for direction in (-1, 1):
            edge = road.s + direction * (road.half + 1.2)
            span = sorted((edge, edge + direction * 2.8))
            if style == 0:
                continue
            if style in (1, 3):
                for t in np.arange(left + 0.4, right - 0.5, 1.1):
                    _add(patch.paint, camera, stretch, (span[0], span[1]), np.array([t, t + 0.5]))
            for end in span:
                lines = [patch.lanes] if style == 1 else [patch.lanes, patch.paint]
                for target in lines:
                    _add(target, camera, stretch, (end - 0.12, end + 0.12), np.linspace(left, right, 9))
        stop = road.s - road.half - 5.4
        if style:
            _add(patch.paint, camera, stretch, (stop - 0.2, stop + 0.2), np.linspace(*layout.drivable, 5))
    return patch


def _add(
    polygons: list[Points], camera: Camera, stretch: Stretch, s: tuple[float, float], t: NDArray[np.float64]
) -> None:
    """Append the part of a strip from s to s over some t that is before the camera."""
    outline = np.concatenate([stretch.to_ego(s[0], t), stretch.to_ego(s[1], t[::-1])])
    cut = camera.clip_near(outline)
    if len(cut) >= 3:
        polygons.append(camera.project(cut))


def _ground_hull(camera: Camera, stretch: Stretch, outline: Points) -> Points | None:
    """Pixel polygon of the convex hull of ego points, laid on the ground; None when it is behind the camera."""
    flat = cv2.convexHull(outline[:, :2].astype(np.float32))[:, 0].astype(np.float64)
    points = np.column_stack([flat, stretch.ground(flat[:, 1])])
    if float(camera.depth(points).max()) < NEAR:
        return None
    cut = camera.clip_near(points)
    return camera.project(cut) if len(cut) >= 3 else None


def _sample(image: NDArray[np.uint8], canvas: Canvas, ground: GroundLabels, covered: list[int], source: str) -> Sample:
    """Labels from what is left to see of everything."""
    height, width = canvas.labels.shape
    least = max(4.0, width / 200)
    boxes: list[tuple[int, int, int, int]] = []
    numbers: list[int] = []
    for number, pixels in enumerate(covered, start=1):
        if pixels < least * least:
            continue
        seen = cv2.inRange(canvas.labels, number, number)
        x, y, wide, high = cv2.boundingRect(seen)
        if min(wide, high) >= least and cv2.countNonZero(seen) >= _LEAST_VISIBLE * pixels:
            boxes.append((x, y, x + wide, y + high))
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
