"""``yolopv2 data``: make data sets, and look at them."""

from pathlib import Path
from typing import Annotated

import typer

from yolopv2.cli.data_convert import convert
from yolopv2.cli.data_inspect import check, show, stats
from yolopv2.cli.terminal import progress_bar, width_and_height
from yolopv2.errors import YolopError

_FPS = 30.0

app = typer.Typer(help="Make data sets, and look at them.", no_args_is_help=True)
app.command()(check)
app.command()(stats)
app.command()(show)
app.command()(convert)


@app.callback()
def data() -> None:
    """Make data sets, and look at them."""


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
    from yolopv2.data.synthetic import Drive, write_dataset
    from yolopv2.media import VideoWriter

    width, height = width_and_height(size)
    is_video = _is_video(output)
    with progress_bar() as progress:
        task = progress.add_task("", total=frames)

        def done(count: int, _total: int) -> None:
            progress.update(task, completed=count)

        if is_video:
            drive = Drive(seed, _FPS, height, width, weather, time)
            with VideoWriter(output, _FPS, width, height) as video:
                for count, sample in enumerate(drive.frames(frames), start=1):
                    video.write(sample.image)
                    done(count, frames)
        else:
            splits = {"train": frames - frames // 5, "val": frames // 5}
            write_dataset(output, splits, seed, height, width, weather, time, done)
    typer.echo(f"{frames} frames in {output}")


def _is_video(output: Path) -> bool:
    """Whether a drive is wanted and not a data set.

    Raises:
        YolopError: It is to be a video of a kind that is not written.
    """
    from yolopv2.media.listing import VIDEO_SUFFIXES

    suffix = output.suffix.lower().removeprefix(".")
    if suffix in VIDEO_SUFFIXES - {"mp4"}:
        raise YolopError(f"{output}: drives are written as .mp4, not as .{suffix}")
    return suffix == "mp4"
