"""yolopv2 evaluate: score weights on labelled frames by a named protocol."""

import sys
from dataclasses import replace
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yolopv2.cli.terminal import progress_bar
from yolopv2.errors import YolopError

if TYPE_CHECKING:
    from yolopv2.data.dataset import Dataset
    from yolopv2.evaluation.report.gallery import Group
    from yolopv2.evaluation.result import Evaluation
    from yolopv2.model import YOLOPv2

INTERRUPTED = 130
"""Exit code of a program that was ended by Ctrl-C."""


def evaluate(
    weights: Annotated[
        str,
        typer.Argument(help="Name from 'yolopv2 models list', .safetensors, .onnx, .xml, or the released yolopv2.pt."),
    ],
    data: Annotated[
        Path, typer.Argument(help="The YAML that describes the data set, or the folder it is in as data.yaml.")
    ],
    protocol: Annotated[
        str, typer.Option(help="dataset, yolop, yolopv2, hybridnets, rmt-ppad-8px, bdd100k-official; docs/evaluate.md.")
    ] = "dataset",
    split: Annotated[str, typer.Option(help="One of the data set's splits.")] = "val",
    size: Annotated[int, typer.Option(help="Long side the network sees, a multiple of 32.")] = 640,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    runtime: Annotated[str, typer.Option(help="auto, openvino, torch, onnx.")] = "auto",
    precision: Annotated[str, typer.Option(help="float32, bfloat16, float16, auto (the quickest).")] = "float32",
    workers: Annotated[int, typer.Option(min=1, help="Processes that score frames; the numbers are the same.")] = 1,
    slices: Annotated[
        bool, typer.Option("--slices", help="Also by weather, time of day, scene, brightness, size and distance.")
    ] = False,
    json: Annotated[Path | None, typer.Option(help="File for everything that was measured, frame by frame.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables, for a page.")] = False,
    report: Annotated[Path | None, typer.Option(help="File for an HTML page with charts and the worst frames.")] = None,
    corrupt: Annotated[
        str | None, typer.Option(help="Score corrupted frames too: all, or fog,rain,...; 5 severities each.")
    ] = None,
    corrupt_frames: Annotated[
        int | None, typer.Option(min=1, help="So many frames for --corrupt, evenly spaced; all if not given.")
    ] = None,
) -> None:
    """Score weights on labelled frames; every number carries the protocol it was measured by.

    Exit codes: 0 done, 1 some frames could not be read (named, the rest is scored), 2 wrong usage, 130 ended by Ctrl-C.
    """
    from yolopv2.cli.evaluate_tables import print_markdown, print_on_terminal, remarks, tables
    from yolopv2.data.dataset import open_dataset
    from yolopv2.evaluation.speed import measure_speed
    from yolopv2.model import YOLOPv2

    corruptions = _corruptions(corrupt, corrupt_frames)
    if report is not None:
        from yolopv2.evaluation.report import require_jinja

        require_jinja()  # before the work, not after it
    model = YOLOPv2(weights, device, runtime, size, precision)
    dataset = open_dataset(data, split)
    try:
        with progress_bar() as progress:
            task = progress.add_task("", total=len(dataset))
            measured = model.evaluate(data, protocol, split, workers, lambda: progress.advance(task))
        measured = replace(measured, speed=measure_speed(model.predictor, dataset), command=join(_command()))
        if corruptions:
            measured = replace(measured, robustness=_robustness(measured, model, dataset, corruptions, corrupt_frames))
        pictures = [] if report is None else _pictures(measured, model, dataset)
    except KeyboardInterrupt:
        typer.echo("Ended by Ctrl-C; nothing was written.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    (print_markdown if markdown else print_on_terminal)(tables(measured, slices), remarks(measured, slices))
    if json is not None:
        measured.save(json)
    if report is not None:
        from yolopv2.evaluation.report import write_report

        write_report(report, measured, pictures)
    for reason in measured.unreadable:
        typer.echo(f"not scored: {reason}", err=True)
    raise typer.Exit(1 if measured.unreadable else 0)


def _corruptions(corrupt: str | None, corrupt_frames: int | None) -> tuple[str, ...]:
    """Names of the corruptions that are asked for; none if none are."""
    from yolopv2.evaluation.robustness import corruption_names

    if corrupt is not None:
        return corruption_names(corrupt)
    if corrupt_frames is not None:
        raise YolopError("--corrupt-frames needs --corrupt, for example --corrupt all")
    return ()


def _robustness(
    measured: "Evaluation", model: "YOLOPv2", dataset: "Dataset", names: tuple[str, ...], most: int | None
) -> dict[str, Any]:
    from yolopv2.evaluation.robustness import measure_robustness, robustness_steps

    with progress_bar() as progress:
        task = progress.add_task("", total=robustness_steps(measured, names, most))
        return measure_robustness(measured, model.predictor, dataset, names, most, lambda: progress.advance(task))


def _pictures(measured: "Evaluation", model: "YOLOPv2", dataset: "Dataset") -> "list[Group]":
    from yolopv2.evaluation.report.gallery import picture_frames, worst_frames

    with progress_bar() as progress:
        task = progress.add_task("", total=sum(map(len, worst_frames(measured.frames).values())))
        return picture_frames(measured, model.predictor, dataset, lambda: progress.advance(task))


def _command() -> list[str]:
    """The command as it was typed, by the program's name alone."""
    return ["yolopv2", *sys.argv[1:]]
