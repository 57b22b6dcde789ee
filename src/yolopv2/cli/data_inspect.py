"""``yolopv2 data check``, ``stats`` and ``show``: what a data set holds, and what is wrong with it."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yolopv2.cli.terminal import progress_bar

if TYPE_CHECKING:
    from yolopv2.data.dataset import Dataset
    from yolopv2.data.stats import Stats

Data = Annotated[
    Path, typer.Argument(help="The YAML that describes the data set, or the folder it is in as data.yaml.")
]
Split = Annotated[str | None, typer.Option(help="One split; all of them if not given.")]


def check(data: Data, split: Split = None) -> None:
    """Find labels that are unreadable, missing, empty, misaligned or out of range, and say where.

    Exit codes: 0 nothing was found, 1 something was, 2 wrong usage.
    """
    from yolopv2.data.check import check_dataset

    splits = _open(data, split)
    with progress_bar() as progress:
        task = progress.add_task("", total=sum(map(len, splits.values())))
        found = {name: check_dataset(dataset, lambda: progress.advance(task)) for name, dataset in splits.items()}
    for name, findings in found.items():
        for finding in findings:
            typer.echo(f"{name}: {finding.kind}: {finding.message}")
    for name, findings in found.items():
        kinds = Counter(finding.kind for finding in findings)
        summary = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "nothing wrong"
        typer.echo(f"{name}: {len(splits[name])} frames, {summary}")
    raise typer.Exit(int(any(found.values())))


def stats(
    data: Data, split: Split = None, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Count frames, labels, boxes by class and size, and the share of drivable and lane pixels."""
    from yolopv2.data.stats import count_dataset

    splits = _open(data, split)
    with progress_bar() as progress:
        task = progress.add_task("", total=sum(map(len, splits.values())))
        counted = {name: count_dataset(dataset, lambda: progress.advance(task)) for name, dataset in splits.items()}
    if as_json:
        typer.echo(json.dumps({name: asdict(counts) for name, counts in counted.items()}, indent=2))
    else:
        _print(counted)


def show(
    data: Data,
    output: Annotated[Path, typer.Option(help="The picture to write, .jpg or .png.")] = Path("sheet.jpg"),
    split: Annotated[str | None, typer.Option(help="The split; the first if not given.")] = None,
    frames: Annotated[int, typer.Option(min=1, max=60, help="How many frames, evenly spaced.")] = 12,
) -> None:
    """Draw frames with their labels on a contact sheet; pixels to be ignored are dark."""
    from yolopv2.data.dataset import open_dataset, split_names
    from yolopv2.data.sheet import contact_sheet
    from yolopv2.files import write_image

    dataset = open_dataset(data, split or split_names(data)[0])
    write_image(output, contact_sheet(dataset, frames))
    typer.echo(f"{min(frames, len(dataset))} of {len(dataset)} frames in {output}")


def _open(data: Path, split: str | None) -> dict[str, "Dataset"]:
    from yolopv2.data.dataset import open_dataset, split_names

    names = split_names(data) if split is None else [split]
    return {name: open_dataset(data, name) for name in names}


def _print(counted: dict[str, "Stats"]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("")
    for name in counted:
        table.add_column(name, justify="right")
    for row in _rows(counted):
        table.add_row(*row)
    Console().print(table)


def _rows(counted: dict[str, "Stats"]) -> list[list[str]]:
    """Lines of the table: what is counted, then its count in each split."""
    every = list(counted.values())
    rows = [["frames", *(f"{s.frames:,}" for s in every)]]
    for task in every[0].labelled:
        shares = (f"{s.labelled[task]:,} ({s.labelled[task] / max(s.frames, 1):.0%})" for s in every)
        rows.append([f"frames with {task}", *shares])
    for name, sizes in every[0].boxes.items():
        rows.append([f"boxes of {name}", *(f"{sum(s.boxes[name].values()):,}" for s in every)])
        rows += [[f"  {size}", *(f"{s.boxes[name][size]:,}" for s in every)] for size in sizes]
    for task in every[0].share:
        shares = ("-" if s.share[task] is None else f"{s.share[task]:.1%}" for s in every)
        rows.append([f"{task} pixels", *shares])
    return rows
