"""yolopv2 export: weights as a file for other engines."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    weights: Annotated[str, typer.Argument(help="Name from 'yolopv2 models list', .safetensors, or yolopv2.pt.")],
    format: Annotated[str, typer.Option(help="onnx.")] = "onnx",
    output: Annotated[Path, typer.Option(help="Folder for the file.")] = Path(),
) -> None:
    """Write weights as a file for other engines; needs the extra 'export'."""
    from yolopv2.model import YOLOPv2

    model = YOLOPv2(weights)
    path = model.export(format, output / model.weights.with_suffix(f".{format}").name)
    typer.echo(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
