"""An evaluation as tables, for a terminal and for a page."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yolopv2.evaluation.result import Evaluation

_SECTIONS = {
    "vehicles": ("ap", "precision_at", "recall_at", "ece"),
    "drivable area": ("drivable",),
    "lane markings": ("lane",),
    "panoptic quality": ("pq", "sq", "rq", "mask", "box", "stuff"),
}
"""The parts of the table, by how the names of their metrics begin."""

_SLICED = ("ap50", "recall", "drivable_iou", "lane_iou", "drivable_miou")
"""Scores of slices for which there is room on a line; at most four of them are shown."""


@dataclass(frozen=True)
class Table:
    """Cells, with a heading for each column."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


def print_on_terminal(tables: Iterable[Table], remarks: Sequence[str]) -> None:
    """Prints tables, then what must be said beside them."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as RichTable

    console = Console()
    for table in tables:
        shown = RichTable(*map(escape, table.headings))
        for row in table.rows:
            shown.add_row(*map(escape, row))
        console.print(shown)
    for line in remarks:
        console.print(escape(line), highlight=False, soft_wrap=True)


def print_markdown(tables: Iterable[Table], remarks: Sequence[str]) -> None:
    """Prints tables as Markdown, then what must be said beside them."""
    for table in tables:
        head = [table.headings, ["---"] * len(table.headings)]
        print("\n".join(f"| {' | '.join(row)} |" for row in [*head, *table.rows]), end="\n\n")
    print("\n".join(f"- {line}" for line in remarks))


def tables(measured: "Evaluation", with_slices: bool) -> Iterator[Table]:
    """The tables of an evaluation; every table of scores has the protocol in its head."""
    yield Table(("measured", ""), list(_facts(measured)))
    for title, beginnings in _SECTIONS.items():
        rows = [_score_row(measured, name) for name in measured.metrics if name.startswith(beginnings)]
        if rows:
            yield Table((title, measured.protocol, "95 %"), rows)
    if len(measured.per_class) > 1:
        classes = measured.per_class.items()
        rows = [(name, f"{scores['ap50']:.4f}", f"{scores['labels']:.0f}") for name, scores in classes]
        yield Table(("ap50 by class", measured.protocol, "labels"), rows)
    if with_slices:
        yield _slices(measured)
    if measured.robustness:
        yield _robustness(measured)
    if measured.speed:
        yield Table(("speed, ms", "p50", "p90", "p99"), list(_speed(measured)))


def remarks(measured: "Evaluation", with_slices: bool) -> list[str]:
    """What must be said beside the numbers."""
    missing = [f"not available: {name}: {reason}" for name, reason in measured.unavailable.items()]
    lines = [*missing, *measured.notes]
    if with_slices:
        lines.append("slices: intervals are of a bootstrap over frames; distance is told by the height of the box")
    if measured.robustness:
        lines.append(
            f"corrupted: {measured.robustness['frames']} frames, mean over severities 1 to 5, and what is lost"
        )
    if measured.speed:
        speed = measured.speed
        width, height = speed["frame"]
        lines.append(
            f"speed: {width}x{height} frames to scenes, {speed['counted']} after {speed['warm_up']}, {speed['cores']} "
            f"cores; {speed['throughput']:.1f} frames per second in batches of {speed['batch']}"
        )
    return [*lines, *([f"command: {measured.command}"] if measured.command else [])]


def _facts(measured: "Evaluation") -> Iterator[tuple[str, str]]:
    model, data = measured.model, measured.data
    width = data["lane_width"]
    yield "protocol", f"{measured.protocol}: {measured.rules.about}"
    yield "weights", str(model.get("weights", "")) + (f" (variant {model['variant']})" if "variant" in model else "")
    yield "input size", f"{model['size']}"
    yield "runtime", str(model["runtime"])
    yield "data", f"{data.get('path', '')} {data.get('split', '')}, {data['frames']} frames".strip()
    yield "width of the lane labels", "no lane labels" if width is None else f"{width} px, measured"


def _score_row(measured: "Evaluation", name: str) -> tuple[str, str, str]:
    ends = measured.intervals.get(name)
    return name, f"{measured.metrics[name]:.4f}", "" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"


def _slices(measured: "Evaluation") -> Table:
    from yolopv2.evaluation.slices import slices

    parts = slices(measured)
    shown = [name for name in _SLICED if any(name in part.scores for part in parts)][:4]
    rows = []
    for part in parts:
        scores = [
            "{:.3f} ({:.3f} to {:.3f})".format(*part.scores[name]) if name in part.scores else "" for name in shown
        ]
        rows.append((part.group, part.name, str(part.frames), str(part.labels), *scores))
    return Table((f"slices, {measured.protocol}", "", "frames", "labels", *shown), rows)


def _robustness(measured: "Evaluation") -> Table:
    """Mean scores of each corruption over its severities, and what is lost of the clean ones."""
    from yolopv2.evaluation.robustness import mean_over_corruptions, mean_over_severities

    clean = measured.robustness["clean"]
    rows = [("clean", *(f"{value:.3f}" for value in clean.values()))]
    means = {**mean_over_severities(measured.robustness), "mean of all": mean_over_corruptions(measured.robustness)}
    for name, scores in means.items():
        rows.append((name, *(f"{scores[key]:.3f} ({scores[key] - clean[key]:+.3f})" for key in clean)))
    return Table((f"corrupted, {measured.protocol}", *clean), rows)


def _speed(measured: "Evaluation") -> Iterator[tuple[str, ...]]:
    for stage, times in measured.speed["latency_ms"].items():
        yield stage, *(f"{times[name]:.1f}" for name in ("p50", "p90", "p99"))
