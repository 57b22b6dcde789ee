"""Weather, time of day and the light they make."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError

WEATHERS = ("clear", "overcast", "rain", "fog", "snow")
"""Weathers a scene can have."""

TIMES_OF_DAY = ("day", "dusk", "night")
"""Times of day a scene can have; dusk looks as dawn does."""

_WEATHER_ODDS = (0.48, 0.24, 0.14, 0.06, 0.08)
_TIME_ODDS = (0.54, 0.14, 0.32)

Colour = NDArray[np.float64]


@dataclass(frozen=True)
class Conditions:
    """What the sky does to a scene. Colours are RGB; light is a factor on the albedo, 1 being well exposed.

    Attributes:
        weather: One of `WEATHERS`.
        time: One of `TIMES_OF_DAY`.
        ambient: Light from the whole sky, float ``[3]``.
        sun: Light from the sun on a surface facing it, float ``[3]``; zero when it is hidden.
        sun_azimuth: Direction of the sun in radians, clockwise from the world's y axis.
        sun_elevation: Height of the sun over the horizon in radians.
        zenith: Colour of the sky overhead, 0..255.
        horizon: Colour of the sky at the horizon and of distant haze, 0..255.
        clouds: Share of the sky that clouds cover, 0..1.
        visibility: Distance in metres at which haze takes 63% of the contrast.
        wetness: 0 for a dry road, 1 for one that mirrors.
        snow_cover: 0 for none, 1 for all white.
        headlights: Whether vehicles drive with their lights on.
        dark: 0 by day to 1 at night: how much lamps and lit windows show.
    """

    weather: str
    time: str
    ambient: Colour
    sun: Colour
    sun_azimuth: float
    sun_elevation: float
    zenith: Colour
    horizon: Colour
    clouds: float
    visibility: float
    wetness: float
    snow_cover: float
    headlights: bool
    dark: float

    @property
    def ground_light(self) -> Colour:
        """Light on level ground, float ``[3]``."""
        return self.ambient + self.sun * np.sin(self.sun_elevation)

    def haze(self, distance: float) -> float:
        """Share of the haze in what is seen at a distance in metres (Koschmieder's law), 0..1."""
        return 1.0 - math.exp(-max(distance, 0.0) / self.visibility)


def draw_conditions(rng: np.random.Generator, weather: str | None = None, time_of_day: str | None = None) -> Conditions:
    """Draw the conditions of a drive.

    Args:
        rng: Source of chance.
        weather: One of `WEATHERS`, or None to draw one.
        time_of_day: One of `TIMES_OF_DAY`, or None to draw one.

    Raises:
        YolopError: A name that is not one of these.
    """
    drawn_weather = str(WEATHERS[int(np.searchsorted(np.cumsum(_WEATHER_ODDS), rng.random() * 0.999999))])
    drawn_time = str(TIMES_OF_DAY[int(np.searchsorted(np.cumsum(_TIME_ODDS), rng.random() * 0.999999))])
    weather = _known("weather", weather, WEATHERS) or drawn_weather
    time = _known("time of day", time_of_day, TIMES_OF_DAY) or drawn_time
    clouds = {"clear": rng.uniform(0.0, 0.55), "overcast": rng.uniform(0.85, 1.0)}.get(weather, 1.0)
    ambient, sun, elevation = _light(rng, weather, time)
    zenith, horizon = _sky_colours(rng, weather, time)
    thick = rng.random()
    visibility = {"clear": 900 + 2500 * thick, "overcast": 600 + 1200 * thick, "rain": 180 + 400 * thick}
    visibility |= {"fog": 35 + 90 * thick, "snow": 90 + 350 * thick}
    return Conditions(
        weather=weather,
        time=time,
        ambient=ambient,
        sun=sun,
        sun_azimuth=float(rng.uniform(-np.pi, np.pi)),
        sun_elevation=elevation,
        zenith=zenith,
        horizon=horizon,
        clouds=float(clouds),
        visibility=float(visibility[weather]),
        wetness=float(rng.uniform(0.5, 1.0)) if weather == "rain" else 0.25 * (weather in ("snow", "fog")),
        snow_cover=float(rng.uniform(0.35, 0.95)) if weather == "snow" else 0.0,
        headlights=time != "day" or weather in ("rain", "fog", "snow"),
        dark={"day": 0.0, "dusk": 0.45, "night": 1.0}[time],
    )


def _known(what: str, name: str | None, names: tuple[str, ...]) -> str | None:
    if name is not None and name not in names:
        raise YolopError(f"Unknown {what} '{name}' for a generated scene: choose one of {', '.join(names)}")
    return name


def _light(rng: np.random.Generator, weather: str, time: str) -> tuple[Colour, Colour, float]:
    """Ambient light, sunlight and the sun's elevation."""
    strength = rng.uniform(0.85, 1.15)
    elevation = rng.uniform(0.35, 1.2)
    if time == "night":
        town = np.array([1.0, 0.86, 0.68]) if rng.random() < 0.6 else np.array([0.75, 0.85, 1.0])
        return town * (0.02 + 0.13 * rng.random() ** 1.5), np.zeros(3), elevation
    if time == "dusk":
        ambient = np.array([0.38, 0.37, 0.41]) * strength * rng.uniform(0.6, 1.0)
        sun = np.array([0.75, 0.5, 0.28]) * strength * (weather == "clear")
        return ambient, sun, rng.uniform(0.06, 0.28)
    if weather == "clear":
        return np.array([0.36, 0.41, 0.48]) * strength, np.array([0.78, 0.73, 0.64]) * strength, elevation
    return np.array([0.74, 0.77, 0.8]) * strength * rng.uniform(0.75, 1.0), np.zeros(3), elevation


def _sky_colours(rng: np.random.Generator, weather: str, time: str) -> tuple[Colour, Colour]:
    """Colours overhead and at the horizon."""
    shift = rng.uniform(-12, 12, 3)
    if time == "night":
        glow = rng.uniform(0.3, 1.0)
        return np.array([5.0, 7, 14]) + glow * 4, np.array([16.0, 15, 20]) + glow * np.array([26.0, 18, 12])
    if time == "dusk":
        if weather != "clear":
            return np.array([96.0, 102, 114]) + shift / 2, np.array([146.0, 142, 144]) + shift / 2
        warm = rng.uniform(0, 1)
        return np.array([70.0, 96, 150]) + shift, np.array([236.0, 170 + 30 * warm, 110 + 70 * warm])
    if weather == "clear":
        return np.array([62.0, 118, 196]) + shift, np.array([186.0, 212, 234]) + shift / 2
    grey = rng.uniform(-25, 15)
    return np.array([176.0, 182, 190]) + grey, np.array([212.0, 215, 218]) + grey / 2
