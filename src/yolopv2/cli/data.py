"""``yolopv2 data``: make data sets."""

from pathlib import Path
from typing import Annotated

import typer

_FPS = 30.0

app = typer.Typer(help="Make data sets.", no_args_is_help=True)


@app.callback()
def data() -> None:
    """Make data sets."""


def _size(text: str) -> tuple[int, int]:
    """Width and height from ``WxH``."""
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() for part in parts):
        raise typer.BadParameter(f"'{text}' is no size; write it as WIDTHxHEIGHT, for example 1280x720")
    return int(parts[0]), int(parts[1])


@app.command()
def render(
    output: Annotated[Path, typer.Argument(help="A .mp4 file for a drive, or a folder for a labelled data set.")],
    frames: Annotated[int, typer.Option(min=1, help="Number of frames.")] = 150,
    seed: Annotated[int, typer.Option(min=0, help="Makes the scenes; the same seed gives the same scenes.")] = 0,
    size: Annotated[str, typer.Option(metavar="WxH", help="Width and height in pixels.")] = "1280x720",
    weather: Annotated[str | None, typer.Option(help="clear, overcast, rain, fog or snow; drawn if not given.")] = None,
    time: Annotated[str | None, typer.Option(help="day, dusk or night; drawn if not given.")] = None,
) -> None:
    """Render driving scenes: a drive as video, or a labelled data set of which a fifth is for validation."""
    from yolopv2.data.synthetic import write_dataset
    from yolopv2.errors import YolopError

    width, height = _size(size)
    try:
        if output.suffix.lower() == ".mp4":
            _render_video(output, frames, seed, (height, width), weather, time)
        else:
            splits = {"train": frames - frames // 5, "val": frames // 5}
            with _Progress("Rendering") as progress:
                write_dataset(output, splits, seed, height, width, weather, time, progress.update)
    except YolopError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{frames} frames in {output}")


def _render_video(
    output: Path, frames: int, seed: int, shape: tuple[int, int], weather: str | None, time: str | None
) -> None:
    """Write a coherent drive."""
    from yolopv2.data.synthetic import Drive
    from yolopv2.media import VideoWriter

    height, width = shape
    drive = Drive(seed, _FPS, height, width, weather, time)
    with _Progress("Driving") as progress, VideoWriter(output, _FPS, width, height) as video:
        for index, sample in enumerate(drive.frames(frames), start=1):
            video.write(sample.image)
            progress.update(index, frames)


class _Progress:
    """A progress bar that appears with the first update."""

    def __init__(self, title: str) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns)
        self._task = self._bar.add_task(title)

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, done: int, total: int) -> None:
        """Show that `done` of `total` frames are done."""
        self._bar.update(self._task, completed=done, total=total)
