"""yolopv2 models: the weights that have a name, and files of weights."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from yolopv2.errors import YolopError

app = typer.Typer(help="List, download, import and describe weights.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A name of 'yolopv2 models list'.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """List the weights that have a name."""
    from yolopv2.checkpoints.catalogue import CATALOGUE, facts

    every = [facts(entry) for entry in CATALOGUE.values()]
    if as_json:
        typer.echo(json.dumps(every, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "variant", "what it is", "size", "licence", "here")
    for found in every:
        here = "yes" if found["here"] else "no" if found["url"] is None else "to be pulled"
        table.add_row(
            found["name"], found["variant"], found["description"], _megabytes(found["size"]), found["licence"], here
        )
    Console().print(table)


@app.command()
def pull(name: Name) -> None:
    """Download weights, unless they are here and whole, and print where they are."""
    from yolopv2.checkpoints import catalogue

    typer.echo(catalogue.pull(catalogue.entry(name)))


@app.command()
def path(name: Name) -> None:
    """Print where the weights of a name are, or will be once they are pulled."""
    from yolopv2.checkpoints import catalogue

    typer.echo(catalogue.entry(name).path)


@app.command()
def info(
    model: Annotated[str, typer.Argument(help="A name, or a .safetensors checkpoint.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Show what is known of weights: variant, classes, provenance, licence, checksum, metrics."""
    from yolopv2.checkpoints.catalogue import CATALOGUE, facts

    known = facts(CATALOGUE[model]) if model in CATALOGUE else {"path": model}
    if Path(known["path"]).suffix == ".safetensors" and known.get("here", True):
        known |= _described(Path(known["path"]))
    elif model not in CATALOGUE:
        raise YolopError(
            f"{model!r} is neither a name ({', '.join(CATALOGUE)}) nor a .safetensors checkpoint; a TorchScript file "
            "is described once it is imported: yolopv2 models import"
        )
    if as_json:
        typer.echo(json.dumps(known, indent=2))
    else:
        _print(known)


@app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(help="The released yolopv2.pt, or another TorchScript of the network.")],
    output: Annotated[
        Path | None, typer.Option("--output", help="The checkpoint to write; beside the file by default.")
    ] = None,
) -> None:
    """Turn the released TorchScript file into a checkpoint, proved to give the same outputs.

    TorchScript files are programs: import only files you trust.
    """
    from yolopv2.checkpoints import file_kind, load_network

    if file_kind(file) != "torchscript":
        raise YolopError(f"{file} is no TorchScript file, so there is nothing to import.")
    network, meta = load_network(file)
    from yolopv2.checkpoints.weights import save_checkpoint

    written = output or file.with_suffix(".safetensors")
    save_checkpoint(network, written, meta)
    proof = meta.provenance
    typer.echo(
        f"{written}: {meta.variant}, {len(meta.names)} classes, {proof['layers placed']} layers placed; outputs equal "
        f"within {proof['largest difference']:.1g} at {', '.join(proof['compared at'])}"
    )


def _described(checkpoint: Path) -> dict[str, Any]:
    from yolopv2.checkpoints.meta import read_meta
    from yolopv2.files import sha256

    meta = read_meta(checkpoint).to_dict()
    return {**meta, "size": checkpoint.stat().st_size, "sha256": sha256(checkpoint), "path": str(checkpoint)}


def _print(known: dict[str, Any]) -> None:
    for key, value in known.items():
        if value not in (None, {}, []):
            text = _megabytes(value) if key == "size" else _text(value)
            typer.echo(f"{key:<13}" + text.replace("\n", "\n" + " " * 13))


def _text(value: Any) -> str:
    """A value of the description for people: nested tables as lines, long lists by their ends."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        inner = ((name, _text(item)) for name, item in value.items())
        return "\n".join(
            f"{name}:\n  " + text.replace("\n", "\n  ") if "\n" in text else f"{name}: {text}" for name, text in inner
        )
    if isinstance(value, list):
        shown = [_text(item) for item in (value if len(value) <= 12 else [*value[:3], "...", value[-1]])]
        return f"({' '.join(shown)})" if value and isinstance(value[0], float) else ", ".join(shown)
    return str(value)


def _megabytes(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e6:.1f} MB"
