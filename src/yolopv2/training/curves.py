"""A run as a picture: its losses, scores and learning rate over its steps."""

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from yolopv2.files import write_bytes_atomic

_COLUMN = 15
"""Curves that a column of a legend has room for."""

Series = dict[str, tuple[list[float], list[float]]]


def draw_curves(entries: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Writes the curves of a log as PNG.

    Args:
        entries: Lines of ``log.jsonl``.
        path: The picture.

    Raises:
        YolopError: It cannot be written.
    """
    figure = Figure(figsize=(12, 7.5), dpi=100, layout="constrained")
    losses, total, scores, rate = figure.subplots(2, 2).flat
    _plot(losses, _series(entries, "losses"), "losses, weighted", log=True)
    sums = [(e["step"], sum(e["losses"].values())) for e in entries if "losses" in e]
    _plot(total, {"sum of the losses": tuple(map(list, zip(*sums, strict=True)))} if sums else {}, "what is minimised")  # type: ignore[dict-item]
    scored = {name: curve for name, curve in _series(entries, "scores").items() if name != "frames"}
    _plot(scores, scored, "validation, averaged weights")
    rates = [(e["step"], e["learning_rate"]) for e in entries if "learning_rate" in e]
    _plot(rate, {"learning rate": tuple(map(list, zip(*rates, strict=True)))} if rates else {}, "learning rate")  # type: ignore[dict-item]
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_bytes_atomic(path, buffer.getvalue())


def _series(entries: Sequence[Mapping[str, Any]], group: str) -> Series:
    curves: Series = defaultdict(lambda: ([], []))
    for entry in entries:
        for name, value in entry.get(group, {}).items():
            curves[name][0].append(entry["step"])
            curves[name][1].append(value)
    return dict(curves)


def _plot(axes: Axes, curves: Series, title: str, log: bool = False) -> None:
    for name, (steps, values) in curves.items():
        axes.plot(steps, values, label=name, marker="." if len(steps) < 30 else None, linewidth=1.2)
    axes.set_title(title)
    axes.set_xlabel("step")
    axes.grid(alpha=0.3)
    if log and curves:
        axes.set_yscale("log")
    if curves:
        axes.legend(fontsize=8 if len(curves) <= _COLUMN else 5, ncols=-(-len(curves) // _COLUMN))
