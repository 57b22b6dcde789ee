"""The variants: one plan at three widths. `base` is the released network."""

from dataclasses import dataclass

from yolopv2.errors import YolopError

HEADS = ("detection", "drivable", "lanes")
"""The released network's heads, which a network has unless others are asked for."""

ALL_HEADS = (*HEADS, "masks")
"""All heads there are, in the order of a network's outputs; ``masks`` needs ``detection``."""

COCO_ANCHORS = (
    ((12.0, 16.0), (19.0, 36.0), (40.0, 28.0)),
    ((36.0, 75.0), (76.0, 55.0), (72.0, 146.0)),
    ((142.0, 110.0), (192.0, 243.0), (459.0, 401.0)),
)
"""Anchors of the released network, width and height in pixels at network scale, by stride 8, 16, 32."""


@dataclass(frozen=True)
class Variant:
    """A named width of the network.

    Attributes:
        name: What the user types.
        width: Factor on the released network's channel counts, rounded to multiples of eight.
        description: One line for listings.
    """

    name: str
    width: float
    description: str

    def channels(self, released: int) -> int:
        """Channels of this variant where the released network has ``released``."""
        if self.width == 1.0:
            return released
        return max(8, round(released * self.width / 8) * 8)


VARIANTS = {
    v.name: v
    for v in (
        Variant("nano", 0.25, "for CPUs and the edge; bundled with the package"),
        Variant("small", 0.5, "between nano and base"),
        Variant("base", 1.0, "the released network"),
    )
}


def variant(name: str) -> Variant:
    """The variant of that name.

    Raises:
        YolopError: There is none; the message lists those there are.

    Example:
        >>> variant("base").width
        1.0
    """
    try:
        return VARIANTS[name]
    except KeyError:
        raise YolopError(f"No variant is called {name!r}; there are: {', '.join(VARIANTS)}.") from None
