"""Colours that people tell apart whatever their colour vision: the palette of Okabe and Ito (2008).

https://jfly.uni-koeln.de/color/
"""

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

ORANGE: Colour = (230, 159, 0)
SKY_BLUE: Colour = (86, 180, 233)
GREEN: Colour = (0, 158, 115)
YELLOW: Colour = (240, 228, 66)
BLUE: Colour = (0, 114, 178)
VERMILION: Colour = (213, 94, 0)
PURPLE: Colour = (204, 121, 167)
BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)

DRIVABLE, LANE, LANE_LINE = GREEN, VERMILION, YELLOW
VEHICLES = (SKY_BLUE, YELLOW, PURPLE, BLUE, ORANGE)
"""Colours of the classes, or of the single vehicles where they are told apart; they repeat after the last."""


def vehicle_colour(number: int) -> Colour:
    """The colour of a class, a track or a row."""
    return VEHICLES[number % len(VEHICLES)]


def text_colour(background: Colour) -> Colour:
    """Black or white, whichever is easier to read on a background (WCAG 2 contrast ratio).

    Example:
        >>> text_colour(YELLOW), text_colour(BLUE)
        ((0, 0, 0), (255, 255, 255))
    """
    luminance = 0.0
    for value, weight in zip(background, (0.2126, 0.7152, 0.0722), strict=True):
        part = value / 255
        luminance += weight * (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
    return BLACK if (luminance + 0.05) ** 2 > 0.05 * 1.05 else WHITE
