"""An evaluation as tables, for a terminal and for a page."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yolopv2.evaluation.result import Evaluation

Row = tuple[str, str]

_SECTIONS = {
    "vehicles": ("ap", "precision_at", "recall_at", "ece"),
    "drivable area": ("drivable",),
    "lane markings": ("lane",),
    "panoptic quality": ("pq", "sq", "rq", "box", "stuff"),
}
"""The parts of the table, by how the names of their metrics begin."""


def print_evaluation(measured: "Evaluation") -> None:
    """Prints an evaluation on the terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    for title, rows in sections(measured):
        table = Table(escape(title), measured.protocol, title_justify="left")
        table.columns[1].justify = "right"
        for row in rows:
            table.add_row(*map(escape, row))
        console.print(table)
    for line in remarks(measured):
        console.print(escape(line), highlight=False)


def print_markdown(measured: "Evaluation") -> None:
    """Prints an evaluation as Markdown."""
    lines = []
    for title, rows in sections(measured):
        lines += [f"| {title} | {measured.protocol} |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows), ""]
    print("\n".join([*lines, *(f"- {line}" for line in remarks(measured))]))


def sections(measured: "Evaluation") -> Iterator[tuple[str, list[Row]]]:
    """The tables: a title, and rows of a name and a value."""
    yield "measured", list(_facts(measured))
    metrics = measured.metrics
    for title, beginnings in _SECTIONS.items():
        rows = [(name, f"{value:.4f}") for name, value in metrics.items() if name.startswith(beginnings)]
        if rows:
            yield title, rows
    if len(measured.per_class) > 1:
        classes = measured.per_class.items()
        yield (
            "ap50 by class",
            [(f"{name} ({scores['labels']:.0f})", f"{scores['ap50']:.4f}") for name, scores in classes],
        )
    if measured.robustness:
        yield f"corrupted: {', '.join(measured.robustness['clean'])}", list(_robustness(measured))
    if measured.speed:
        yield "speed", list(_speed(measured))


def remarks(measured: "Evaluation") -> list[str]:
    """What must be said beside the numbers."""
    missing = [f"not available: {name}: {reason}" for name, reason in measured.unavailable.items()]
    return [*missing, *measured.notes, *([f"command: {measured.command}"] if measured.command else [])]


def _facts(measured: "Evaluation") -> Iterator[Row]:
    model, data = measured.model, measured.data
    width = data["lane_width"]
    yield "protocol", f"{measured.protocol}: {measured.rules.about}"
    yield "weights", str(model.get("weights", "")) + (f" (variant {model['variant']})" if "variant" in model else "")
    yield "input size", f"{model['size']}"
    yield "runtime", str(model["runtime"])
    yield "data", f"{data.get('path', '')} {data.get('split', '')}, {data['frames']} frames".strip()
    yield "width of the lane labels", "no lane labels" if width is None else f"{width} px, measured"


def _robustness(measured: "Evaluation") -> Iterator[Row]:
    """Mean scores of each corruption over its severities, and what is lost of the clean ones."""
    from yolopv2.evaluation.robustness import mean_over_corruptions, mean_over_severities

    clean = measured.robustness["clean"]
    yield f"clean, {measured.robustness['frames']} frames", ", ".join(f"{value:.4f}" for value in clean.values())
    means = {**mean_over_severities(measured.robustness), "mean of all": mean_over_corruptions(measured.robustness)}
    for name, scores in means.items():
        yield name, ", ".join(f"{scores[key]:.4f} ({scores[key] - clean[key]:+.4f})" for key in clean)


def _speed(measured: "Evaluation") -> Iterator[Row]:
    speed = measured.speed
    for stage, times in speed["latency_ms"].items():
        yield f"{stage}, ms (p50, p90, p99)", ", ".join(f"{times[name]:.1f}" for name in ("p50", "p90", "p99"))
    yield f"frames per second in batches of {speed['batch']}", f"{speed['throughput']:.1f}"
    width, height = speed["frame"]
    yield "measured", f"{width}x{height} frames, {speed['cores']} cores, {speed['counted']} after {speed['warm_up']}"
