"""yolopv2 ikomia: the plugins for Ikomia API and STUDIO."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Plugins for Ikomia API and STUDIO.", no_args_is_help=True)


@app.callback()
def _ikomia() -> None:
    """Keeps `install` a command of its own."""


@app.command()
def install(
    folder: Annotated[
        Path | None,
        typer.Option(help="Where plugins in Python are.", show_default="as Ikomia is configured, or its default"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace plugins of these names that are not ours.")] = False,
) -> None:
    """Install infer_yolop_v2 and train_yolop_v2 into Ikomia, or bring them up to date."""
    from yolopv2.ikomia.install import install_plugins, plugins_folder

    folder = plugins_folder() if folder is None else folder
    for name, state in install_plugins(folder, force).items():
        typer.echo(f"{name}: {state} in {folder / name}")
