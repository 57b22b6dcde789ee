"""yolopv2 info: what a network consists of."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yolopv2.cli.terminal import width_and_height
from yolopv2.errors import YolopError

if TYPE_CHECKING:
    from yolopv2.network import Network
    from yolopv2.network.summary import Summary


def info(
    network: Annotated[str, typer.Argument(help="A variant (nano, small, base) or a checkpoint.", show_default=False)],
    classes: Annotated[int, typer.Option(min=1, help="Number of classes, of a variant.")] = 80,
    encoder: Annotated[
        str, typer.Option(help="elan (as released) or e-elan (as in the paper), of a variant.")
    ] = "elan",
    masks: Annotated[bool, typer.Option("--masks", help="With the head for instance masks, of a variant.")] = False,
    size: Annotated[str, typer.Option(help="Width and height of the frame to count operations for.")] = "640x384",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a network's stages, parameters, operations, taps and heads."""
    width, height = width_and_height(size)
    module = _network(network, classes, encoder, masks)
    from yolopv2.network.summary import summarise

    summary = summarise(module, height, width)
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps(asdict(summary), indent=2))
    else:
        _print(summary)


def _network(name: str, classes: int, encoder: str, masks: bool) -> "Network":
    from yolopv2.checkpoints import load_network
    from yolopv2.network import ALL_HEADS, HEADS, VARIANTS, Network

    if Path(name).is_file():
        return load_network(name)[0]
    if name not in VARIANTS:
        raise YolopError(
            f"{name!r} is neither a variant ({', '.join(VARIANTS)}) nor a file; of weights with a name, "
            "'yolopv2 models path' gives the file."
        )
    return Network(name, classes, ALL_HEADS if masks else HEADS, encoder)


def _print(summary: "Summary") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("stage", "block", "output", title=f"{summary.variant}, {summary.encoder}", title_justify="left")
    table.add_column("parameters", justify="right")
    table.add_column("GFLOP", justify="right")
    for stage in summary.stages:
        table.add_row(stage.name, stage.block, stage.output, f"{stage.parameters:,}", f"{stage.flop / 1e9:.2f}")
    console.print(table)
    rows = {
        "parameters": f"{summary.deployed_parameters:,} deployed, {summary.parameters:,} as it is trained",
        "operations": f"{summary.flop / 1e9:.1f} GFLOP at {summary.width}x{summary.height} (two per multiply-add)",
        "taps": ", ".join(f"{name} {channels} /{stride}" for name, (channels, stride) in summary.taps.items()),
        "heads": ", ".join(_head(head, summary.classes) for head in summary.heads),
    }
    for name, text in rows.items():
        console.print(f"{name:<12}{text}", highlight=False, soft_wrap=True)


def _head(head: str, classes: int) -> str:
    return f"{head} ({classes} {'class' if classes == 1 else 'classes'})" if head == "detection" else head
