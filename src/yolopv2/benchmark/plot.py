"""A benchmark as a picture. Needs the extra ``bench``."""

import io
from collections import defaultdict
from pathlib import Path

from yolopv2.benchmark.report import Report, Row, Setup
from yolopv2.errors import MissingExtra
from yolopv2.files import write_bytes_atomic

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError:
    raise MissingExtra("bench", "A plot") from None

_COLOURS = {"float32": "tab:blue", "bfloat16": "tab:orange", "float16": "tab:green", "auto": "tab:gray"}


def draw_report(report: Report, path: Path) -> None:
    """Writes frames per second of every row, by precision, and time against size where sizes differ, as PNG.

    Args:
        report: What was measured.
        path: The picture.

    Raises:
        YolopError: It cannot be written.
    """
    by_size = _by_size(report)
    panels = 2 if by_size else 1
    figure = Figure(figsize=(7 * panels, 1.6 + 0.42 * max(len(report.rows), 6)), dpi=100, layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    _bars(axes[0], report)
    if by_size:
        _lines(axes[1], by_size)
    width, height = report.frame
    figure.suptitle(f"{width}x{height} frame to scene, {report.machine.get('processor', '')}", fontsize=10)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    write_bytes_atomic(path, buffer.getvalue())


def _bars(axes: Axes, report: Report) -> None:
    rows = report.rows[::-1]
    colours = [_COLOURS.get(row.setup.precision, "tab:gray") for row in rows]
    bars = axes.barh([str(row.setup) for row in rows], [row.frames_per_second for row in rows], color=colours)
    axes.bar_label(bars, [f"{row.frames_per_second:.0f}" for row in rows], padding=3, fontsize=8)
    axes.set_xlabel("frames per second")
    axes.tick_params(axis="y", labelsize=8)
    axes.margins(x=0.12)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)


def _lines(axes: Axes, by_size: dict[str, list[Row]]) -> None:
    for label, rows in by_size.items():
        rows = sorted(rows, key=lambda row: row.setup.size)
        axes.plot([row.setup.size for row in rows], [row.p50 for row in rows], marker="o", label=label)
    axes.set_xticks(sorted({row.setup.size for rows in by_size.values() for row in rows}))
    axes.set_xlabel("size, pixels")
    axes.set_ylabel("milliseconds per frame")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)


def _by_size(report: Report) -> dict[str, list[Row]]:
    """Rows that differ in nothing but their size, where there are several."""
    groups: dict[Setup, list[Row]] = defaultdict(list)
    for row in report.rows:
        groups[row.setup.model_copy(update={"size": 640})].append(row)
    return {
        f"{Path(each.weights).name} {each.runtime} {each.precision}, {each.threads} threads": rows
        for each, rows in groups.items()
        if len(rows) > 1
    }
