"""yolopv2 bench: which variant, runtime, precision, size and number of threads is quickest on this machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yolopv2.cli.evaluate import INTERRUPTED
from yolopv2.cli.terminal import progress_bar
from yolopv2.errors import YolopError

if TYPE_CHECKING:
    from yolopv2.benchmark.regression import Comparison
    from yolopv2.benchmark.report import Report, Row, Setup

_SEVERAL = "; several: with commas."


def bench(
    weights: Annotated[
        list[str] | None, typer.Argument(help="Names from 'yolopv2 models list', or files; nano if none is given.")
    ] = None,
    runtime: Annotated[str, typer.Option(help=f"auto, openvino, torch, onnx{_SEVERAL}")] = "",
    precision: Annotated[str, typer.Option(help=f"float32, bfloat16, float16{_SEVERAL}")] = "",
    size: Annotated[str, typer.Option(help=f"Long side the network sees{_SEVERAL}")] = "",
    threads: Annotated[str, typer.Option(help=f"Cores to use{_SEVERAL}")] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    rounds: Annotated[int, typer.Option(min=3, help="Turns of a fifth of a second that each row has.")] = 10,
    data: Annotated[str | None, typer.Option(help="YAML of a data set: adds scores on its split 'val'.")] = None,
    plot: Annotated[Path | None, typer.Option(help="PNG file for a plot; needs the extra 'bench'.")] = None,
    json: Annotated[Path | None, typer.Option(help="File for everything that was measured.")] = None,
    against: Annotated[
        Path | None, typer.Option(help="What --json wrote: measure its rows again; is any slower beside the others?")
    ] = None,
    tolerance: Annotated[float, typer.Option(min=0, help="0.15 lets a row take 15 % longer in --against.")] = 0.15,
) -> None:
    """Measure how quick this machine is, from a 1280x720 frame to its scene; under a minute as it stands.

    Without options the usual choices are measured; with any of --runtime, --precision, --size, --threads all their
    combinations. Rows take turns, and ratios are taken within a turn.

    Exit codes: 0 done, 1 a row could not be measured (named) or is slower than in --against, 2 wrong usage, 130 ended
    by Ctrl-C.
    """
    from yolopv2.benchmark.measure import measure, steps
    from yolopv2.benchmark.regression import compare
    from yolopv2.benchmark.report import Report

    if plot is not None:
        from yolopv2.benchmark.plot import draw_report  # before the work, not after it
    chosen = (_words(runtime), _words(precision), _numbers("--size", size), _numbers("--threads", threads))
    earlier = None if against is None else Report.load(against)
    if earlier is not None and (weights or any(chosen)):
        raise YolopError("--against measures the rows of its file: leave weights and other choices out")
    setups = _setups(weights or ["nano"], *chosen, device) if earlier is None else [row.setup for row in earlier.rows]
    try:
        with progress_bar("steps") as progress:
            task = progress.add_task("", total=steps(setups, rounds, data))
            report = measure(setups, rounds, data=data, progress=lambda: progress.advance(task))
    except KeyboardInterrupt:
        typer.echo("Ended by Ctrl-C; nothing was written.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    _print(report)
    if json is not None:
        report.save(json)
    if plot is not None:
        draw_report(report, plot)
    comparison = None if earlier is None else compare(earlier, report, tolerance)
    if comparison is not None:
        _print_comparison(comparison, tolerance)
    raise typer.Exit(1 if report.left_out or not (comparison is None or comparison.passed) else 0)


def _setups(
    weights: Sequence[str],
    runtimes: Sequence[str],
    precisions: Sequence[str],
    sizes: Sequence[int],
    threads: Sequence[int],
    device: str,
) -> "list[Setup]":
    from yolopv2.benchmark.setups import all_setups, usual_setups

    if not (runtimes or precisions or sizes or threads):
        return usual_setups(weights, device)
    return all_setups(weights, runtimes, precisions, sizes, threads, device)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _numbers(option: str, text: str) -> list[int]:
    words = _words(text)
    if not all(word.isdecimal() and int(word) for word in words):
        raise YolopError(f"{option} takes whole numbers with commas between them, such as 640,480, not {text!r}")
    return [int(word) for word in words]


def _print(report: "Report") -> None:
    from yolopv2.cli.evaluate_tables import Table, print_on_terminal

    scores = list(dict.fromkeys(name for row in report.rows for name in row.scores))
    head = ("setup", "ms", "p90", "frames/s", "MB", "first frame, s", "x first row", *scores)
    width, height = report.frame
    remarks = [
        f"{width}x{height} frame to scene on {report.machine['processor']}, {report.machine['cores']} cores",
        *dict.fromkeys(f"{row.setup.runtime}, {row.setup.precision}: {row.engine}" for row in report.rows),
        *(f"not measured: {entry.setup}: {entry.reason}" for entry in report.left_out),
    ]
    print_on_terminal([Table(head, [_cells(row, scores) for row in report.rows])], remarks)


def _cells(row: "Row", scores: Sequence[str]) -> tuple[str, ...]:
    return (
        str(row.setup),
        f"{row.p50:.1f}",
        f"{row.p90:.1f}",
        f"{row.frames_per_second:.1f}",
        "" if row.memory is None else f"{row.memory:.0f}",
        f"{row.first_frame:.2f}",
        f"{row.ratio:.2f} ({row.ratio_low:.2f} to {row.ratio_high:.2f})",
        *(f"{row.scores[name]:.3f}" if name in row.scores else "" for name in scores),
    )


def _print_comparison(comparison: "Comparison", tolerance: float) -> None:
    for note in comparison.notes:
        typer.echo(f"note: {note}")
    for change in comparison.changes:
        typer.echo(f"{'SLOWER  ' if change.slower else 'ok      '}{change}")
    for setup, reason in comparison.missing.items():
        typer.echo(f"MISSING {setup}: {reason}")
    state = "no row takes" if comparison.passed else "failed: a row is missing or takes"
    typer.echo(f"{state} more than {tolerance:.0%} longer than the others let expect")
