"""``yolopv2 data convert``: a data set in another layout."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from yolopv2.cli.data_inspect import Data, Split
from yolopv2.cli.terminal import progress_bar


class Target(str, Enum):
    """Layouts that are written; `yolopv2.data.writers` has them, but imports more than a help text needs."""

    yolo = "yolo"
    yolop = "yolop"
    coco = "coco"
    bdd100k = "bdd100k"


def convert(
    data: Data,
    output: Annotated[Path, typer.Argument(help="A new or empty folder, or one that the same command has begun.")],
    layout: Annotated[Target, typer.Option("--format", help="The layout to write.")],
    split: Split = None,
) -> None:
    """Write a data set in another layout, pictures included; a broken run continues.

    Exit codes: 0 all frames were written, 1 some could not be read and were left out, 2 wrong usage.
    """
    from yolopv2.data.convert import convert_dataset
    from yolopv2.data.dataset import open_dataset, split_names

    splits = split_names(data) if split is None else [split]
    with progress_bar() as progress:
        task = progress.add_task("", total=sum(len(open_dataset(data, name)) for name in splits))
        done = convert_dataset(data, output, layout.value, splits, lambda: progress.advance(task))
    for reason in done.failed:
        typer.echo(f"left out: {reason}", err=True)
    for what, frames in done.lacking.items():
        typer.echo(f"{layout.value} has no place for {what}: {frames} frames had some", err=True)
    typer.echo(f"{done.frames} frames in {output}")
    raise typer.Exit(int(bool(done.failed)))
