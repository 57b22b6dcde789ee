"""yolopv2 compare: which differences between two evaluations are real."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yolopv2.cli.terminal import progress_bar

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
    """Compare two evaluations of the same frames by the same protocol: is the second one better, or lucky?

    Exit codes: 0 done, 2 wrong usage.
    """
    from yolopv2.evaluation.compare import compare_evaluations
    from yolopv2.evaluation.result import Evaluation

    if report is not None:
        from yolopv2.evaluation.report import require_jinja

        require_jinja()
    a, b = Evaluation.load(first), Evaluation.load(second)
    with progress_bar() as progress:
        task = progress.add_task("", total=draws)
        comparison = compare_evaluations(a, b, draws, seed, lambda: progress.advance(task))
    if report is not None:
        from yolopv2.evaluation.report import write_comparison

        write_comparison(report, comparison, (str(first), str(second)))
    _print(comparison)


def _print(comparison: "Comparison") -> None:
    from yolopv2.cli.evaluate_tables import Table, print_on_terminal

    rows = [
        (
            each.name,
            f"{each.a:.3f}",
            f"{each.b:.3f}",
            f"{each.difference:+.3f}",
            f"{each.low:+.3f} {each.high:+.3f}",
            f"{each.p:.3f}",
            each.verdict,
        )
        for each in comparison.differences
    ]
    head = (comparison.a.protocol, "first", "second", "change", "95 %", "p", "")
    frames = f"{len(comparison.a.frames)} frames, drawn again {comparison.draws} times"
    print_on_terminal([Table(head, rows)], [frames, *comparison.notes])
