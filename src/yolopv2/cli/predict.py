"""yolopv2 predict: look at pictures, videos, cameras and streams, and write down what is there."""

import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yolopv2.cli.terminal import progress_bar
from yolopv2.errors import YolopError

if TYPE_CHECKING:
    from yolopv2.media import Frame, Problem
    from yolopv2.scene import Scene

FORMATS = "image, json, coco, yolo, masks, panoptic"
INTERRUPTED = 130
"""Exit code of a program that was ended by Ctrl-C."""


def predict(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="Pictures, videos, folders, patterns, http(s) or RTSP addresses, camera numbers.",
            show_default=False,
        ),
    ],
    weights: Annotated[
        str,
        typer.Option(help="Name from 'yolopv2 models list', .safetensors, .onnx, .xml, or the released yolopv2.pt."),
    ] = "nano",
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the results; earlier ones in it are replaced.", show_default="a new runs/predict"
        ),
    ] = None,
    conf: Annotated[float, typer.Option(help="Least confidence of a vehicle, 0 to 1.")] = 0.3,
    iou: Annotated[float, typer.Option(help="Boxes that overlap by more than this are one vehicle, 0 to 1.")] = 0.45,
    size: Annotated[int, typer.Option(help="Long side the network sees, a multiple of 32; smaller is quicker.")] = 640,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    runtime: Annotated[str, typer.Option(help="auto, openvino, torch, onnx.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto (the quickest), float32, bfloat16, float16.")] = "auto",
    save: Annotated[
        str,
        typer.Option(
            help=f"Any of {FORMATS}, with commas. image: annotated .jpg per picture and .mp4 per video (original rate, "
            "no sound). json: scenes.jsonl, one line per frame, which is written in any case."
        ),
    ] = "image,json",
    classes: Annotated[
        str | None, typer.Option(help="Ids or names of the classes to keep, with commas.", show_default="all")
    ] = None,
    max_det: Annotated[int, typer.Option(help="At most this many vehicles per frame.")] = 300,
    agnostic: Annotated[bool, typer.Option("--agnostic", help="Suppress across classes, not within each.")] = False,
    batch: Annotated[int, typer.Option(help="Frames looked at together; the results are the same.")] = 1,
    every: Annotated[int, typer.Option(help="Look at each such frame of a video, camera or stream only.")] = 1,
    max_fps: Annotated[
        float | None, typer.Option(help="Look at no more frames per second of a video.", show_default="all")
    ] = None,
    drivable_conf: Annotated[float, typer.Option(help="Least probability of a drivable pixel, 0 to 1.")] = 0.5,
    lane_conf: Annotated[float, typer.Option(help="Least probability of a lane marking's pixel, 0 to 1.")] = 0.5,
) -> None:
    """Look at pictures and videos: vehicles, drivable area, lane markings.

    Exit codes: 0 done, 1 some inputs failed (named, the rest is done), 2 wrong usage, 130 ended by Ctrl-C, which leaves
    whole files of what was done.
    """
    from yolopv2.inference.results import new_folder, refuse_folder_of_inputs
    from yolopv2.media import Pace, open_source
    from yolopv2.model import YOLOPv2

    formats = _formats(save)
    problems: list[Problem] = []
    with open_source([*sources], problems.append, Pace(every, max_fps)) as source:
        if output is not None:
            refuse_folder_of_inputs(output, source.files)
        model = YOLOPv2(weights, device, runtime, size, precision)
        wanted = None if classes is None else [entry.strip() for entry in classes.split(",")]
        thresholds = model.thresholds(conf, iou, wanted, max_det, agnostic, drivable_conf, lane_conf)
        scenes = model.predictor.stream(source, thresholds, batch)
        folder = new_folder(Path("runs/predict")) if output is None else output
        typer.echo(f"model: {weights}, {model.predictor.runtime.description}")
        code = _write(scenes, folder, formats, source.total)
    failed = [problem for problem in problems if problem.fatal]
    _tell("could not be read", failed)
    _tell("read with a remark", [problem for problem in problems if not problem.fatal])
    raise typer.Exit(code or (1 if failed else 0))


def _formats(save: str) -> set[str]:
    """The formats in a text with commas."""
    from yolopv2.inference.results import FORMATS

    formats = {entry.strip() for entry in save.split(",") if entry.strip()}
    if unknown := sorted(formats - set(FORMATS)):
        raise typer.BadParameter(f"no format is called '{unknown[0]}'; there are: {', '.join(FORMATS)}")
    return formats


def _write(
    scenes: Generator[tuple["Frame", "Scene"], None, None], folder: Path, formats: set[str], total: int | None
) -> int:
    """Writes the scenes as they come and sums up; Ctrl-C and errors of writing end it, with whole files left.

    Returns:
        Exit code.
    """
    from yolopv2.inference.results import Results
    from yolopv2.inference.video import ahead

    began, code = time.perf_counter(), 0
    results = Results(folder, formats)
    try:
        with results, closing(ahead(results.prepared(scenes))) as prepared, progress_bar() as progress:
            task = progress.add_task("", total=total)
            for frame in prepared:
                results.add(frame)
                progress.advance(task)
    except KeyboardInterrupt:
        typer.echo("Ended by Ctrl-C; what was done until then is kept.", err=True)
        code = INTERRUPTED
    except YolopError as error:
        typer.echo(f"Error: {error}", err=True)
        code = 1
    seconds = time.perf_counter() - began
    typer.echo(
        f"frames: {results.frames} in {seconds:.1f} s ({results.frames / seconds:.1f} per second)\n"
        f"vehicles: {results.vehicles} in all frames together\nresults: {folder}"
    )
    return code


def _tell(what: str, problems: list["Problem"]) -> None:
    """Names problems on the standard error, one per line."""
    if problems:
        typer.echo("\n".join([f"{len(problems)} {what}:", *(f"  {problem}" for problem in problems)]), err=True)
