"""yolopv2 train: a data set into a model."""

from pathlib import Path
from typing import Annotated, Any

import typer

from yolopv2.errors import MissingExtra, YolopError


def train(
    data: Annotated[
        Path | None, typer.Argument(help="YAML of the data set, with splits 'train' and, to be validated on, 'val'.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder of the run; runs/train, train-2, ... if left out.")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a run to go on with; nothing else is given.")] = None,
    config: Annotated[str | None, typer.Option(help="YAML with settings, or 'paper'.")] = None,
    weights: Annotated[str | None, typer.Option(help="Start from these: nano, official, or a checkpoint.")] = None,
    variant: Annotated[str | None, typer.Option(help="nano, small or base, from random weights.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Rounds through the data.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Frames per step.")] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Training canvas, multiples of 32 pixels.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Its peak.")] = None,
    freeze: Annotated[list[str] | None, typer.Option(help="A part that does not learn: encoder, lanes, ...")] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes that load frames.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    devices: Annotated[int | None, typer.Option(min=1, help="Number of devices, one process each.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of everything.")] = None,
    set: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Any setting, as loss.drivable=2.")
    ] = None,
) -> None:
    """Train a model on labelled frames; needs the extra 'train'.

    A run is a folder: configuration, log, curves, pictures of every validation, the last and the best weights. Killed
    at any moment, it goes on with --resume. Every setting stands in docs/train.md; what is not given has its default.
    """
    from yolopv2.cli.terminal import width_and_height

    given: dict[str, Any] = {
        "weights": weights,
        "variant": variant,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "freeze": freeze,
        "workers": workers,
        "device": device,
        "devices": devices,
        "seed": seed,
    }
    if size is not None:
        given["width"], given["height"] = width_and_height(size)
    given = {name: value for name, value in given.items() if value is not None}
    try:
        from yolopv2.training import run
        from yolopv2.training.config import make_config, parse_words, read_config
        from yolopv2.training.distributed import rank
        from yolopv2.training.folder import RUNS, RunFolder, free_folder
    except ImportError:
        raise MissingExtra("train", "Training") from None

    if resume is not None:
        if data is not None or given or set or config or output:
            raise YolopError("--resume goes on with a run as it was: give the folder and nothing else.")
        data, settings = RunFolder(resume).read_config()
        folder = resume
    elif data is None:
        raise YolopError("Name the YAML of a data set, or a run to go on with: --resume FOLDER.")
    else:
        settings = make_config(read_config(config) if config else {}, parse_words(set or []), given)
        folder = output or free_folder(RUNS, "train")
    if resume is None and RunFolder(folder).has_state:
        raise YolopError(f"{folder} holds a run: go on with it by --resume {folder}, or choose another --output.")
    try:
        best = run.train(data, settings, folder, resume=resume is not None)
    except KeyboardInterrupt:
        kept = RunFolder(folder).has_state
        typer.echo(
            f"Stopped. {f'Go on with: yolopv2 train --resume {folder}' if kept else 'Nothing was kept yet.'}", err=True
        )
        raise typer.Exit(130) from None
    if rank() == 0:
        typer.echo(f"best weights: {best}\nlook at {best.parent / 'curves.png'} and {best.parent / 'validation'}")
