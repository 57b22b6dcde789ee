"""What a plot shows, in numbers of 0 to 1; the templates draw it as SVG in the page's own colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """A line of a plot.

    Attributes:
        name: For the legend.
        points: x and y, each in 0..1.
    """

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Bar:
    """A bar of a plot, from ``low`` to ``high`` on the x axis.

    Attributes:
        low: In 0..1.
        high: In 0..1.
        height: In 0..1.
        title: What is told of it where the pointer rests.
    """

    low: float
    high: float
    height: float
    title: str


@dataclass(frozen=True)
class Plot:
    """A plot of 0..1 against 0..1.

    Attributes:
        title: What it shows; read aloud in place of the picture.
        description: What it says, in a sentence or two: the caption.
        x: Name of the x axis.
        y: Name of the y axis.
        lines: Drawn over the bars.
        bars: Drawn first.
        ideal: Whether the diagonal is drawn.
    """

    title: str
    description: str
    x: str
    y: str
    lines: Sequence[Line] = field(default_factory=tuple)
    bars: Sequence[Bar] = field(default_factory=tuple)
    ideal: bool = False


def precision_over_recall(curves: Mapping[str, Mapping[str, Sequence[float]]]) -> Plot:
    """Precision over recall at IoU 0.5, a line for each class.

    Args:
        curves: ``recall`` and ``precision`` at some points, by class name.
    """
    lines = [Line(name, list(zip(c["recall"], c["precision"], strict=True))) for name, c in curves.items()]
    return Plot(
        "Precision over recall",
        "Of the vehicles there are, how many are found (recall), and how much of what is found is right at that point "
        "(precision), as the confidence asked for falls; a box is right at IoU 0.5. The area under a line is its AP50.",
        "recall",
        "precision",
        lines,
    )


def reliability(bins: Sequence[Mapping[str, float]], error: float | None) -> Plot:
    """How often detections of a confidence are right.

    Args:
        bins: ``low``, ``high``, ``count``, and where that is not 0 ``confidence`` and ``hits``.
        error: The expected calibration error.
    """
    bars = [
        Bar(
            each["low"],
            each["high"],
            each["hits"],
            f"confidence {each['low']:.1f} to {each['high']:.1f}: {each['hits']:.0%} of {each['count']:,} right",
        )
        for each in bins
        if each["count"]
    ]
    expected = "" if error is None else f" Expected calibration error {error:.3f}, from confidence 0.1 on."
    return Plot(
        "Reliability of confidences",
        "Of the boxes with a confidence, the share that is right. On the broken line a confidence is a probability; "
        "bars above it are too modest, below it too sure." + expected,
        "confidence",
        "share of right boxes",
        bars=bars,
        ideal=True,
    )
