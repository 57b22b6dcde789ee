"""yolopv2 on the command line: what is imported here is light, each command imports what it needs when it runs."""

import sys

import typer

from yolopv2.cli import data, ikomia, models
from yolopv2.cli.bench import bench
from yolopv2.cli.compare import compare
from yolopv2.cli.doctor import doctor
from yolopv2.cli.evaluate import evaluate
from yolopv2.cli.export import export
from yolopv2.cli.info import info
from yolopv2.cli.predict import predict
from yolopv2.cli.serve import serve
from yolopv2.cli.studio import studio
from yolopv2.cli.train import train
from yolopv2.errors import YolopError

app = typer.Typer(
    help="Panoptic driving perception: vehicles, drivable area and lane markings of road pictures and videos.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(predict)
app.add_typer(models.app, name="models")
app.command()(info)
app.command()(train)
app.command()(export)
app.command()(evaluate)
app.command()(compare)
app.command()(serve)
app.add_typer(data.app, name="data")
app.add_typer(ikomia.app, name="ikomia")
app.command()(bench)
app.command()(studio)
app.command()(doctor)


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Show the version and exit.")) -> None:
    if version:
        import yolopv2

        typer.echo(yolopv2.__version__)
        raise typer.Exit


def main() -> None:
    """Runs the command line; a mistake of the user is told in a sentence and exits with 2."""
    try:
        app()
    except YolopError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(2)
