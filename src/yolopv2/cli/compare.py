"""yolopv2 compare: which differences between two evaluations are real."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from yolopv2.evaluation.compare import Comparison

_File = typer.Argument(help="What 'yolopv2 evaluate ... --json FILE' wrote.")


def compare(
    first: Annotated[Path, _File],
    second: Annotated[Path, _File],
    report: Annotated[Path | None, typer.Option(help="File for an HTML page.")] = None,
    draws: Annotated[int, typer.Option(min=1000, help="How often the frames are drawn again.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
) -> None:
    """Compare two evaluations of the same frames by the same protocol: is the second one better, or lucky?"""
    from yolopv2.evaluation.compare import compare_evaluations
    from yolopv2.evaluation.result import Evaluation

    if report is not None:
        from yolopv2.evaluation.report import require_jinja

        require_jinja()
    comparison = compare_evaluations(Evaluation.load(first), Evaluation.load(second), draws, seed)
    if report is not None:
        from yolopv2.evaluation.report import write_comparison

        write_comparison(report, comparison, (str(first), str(second)))
    _print(comparison)


def _print(comparison: "Comparison") -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    table = Table(comparison.a.protocol, "first", "second", "change", "95 % interval", "p", "", box=SIMPLE)
    for each in comparison.differences:
        numbers = (f"{each.a:.4f}", f"{each.b:.4f}", f"{each.difference:+.4f}", f"{each.low:+.4f} {each.high:+.4f}")
        table.add_row(each.name, *numbers, f"{each.p:.3f}", each.verdict)
    for column in table.columns:
        column.no_wrap = True
    console.print(table)
    frames = f"{len(comparison.a.frames)} frames, drawn again {comparison.draws} times"
    for line in (frames, *comparison.notes):
        console.print(escape(line), highlight=False)
