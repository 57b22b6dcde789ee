"""What several commands share: the progress bar, and sizes as people write them."""

from typing import TYPE_CHECKING

from yolopv2.errors import YolopError

if TYPE_CHECKING:
    from rich.progress import Progress


def progress_bar(unit: str = "frames") -> "Progress":
    """A bar with frames done, frames per second and time left, on a terminal's standard error; silent elsewhere.

    Args:
        unit: What is counted, if not frames.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """Frames, or what is counted, per second."""

        def render(self, task: Task) -> Text:
            return Text("" if task.speed is None else f"{task.speed:.1f} {unit}/s")

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def width_and_height(text: str) -> tuple[int, int]:
    """Reads ``WIDTHxHEIGHT``, in pixels.

    Raises:
        YolopError: It is no size.

    Example:
        >>> width_and_height("1280x720")
        (1280, 720)
    """
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) for part in parts):
        raise YolopError(f"{text!r} is no size: write it as WIDTHxHEIGHT, for example 1280x720")
    return int(parts[0]), int(parts[1])
