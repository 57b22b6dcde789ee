"""Bars on the terminal's standard error; silent elsewhere."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn


def progress_bar(label: str, *columns: ProgressColumn) -> Progress:
    """A bar with what is done and the time left.

    Args:
        label: What is done, with the fields of the task in braces, as rich formats it.
        columns: What else is shown behind.
    """
    console = Console(stderr=True)
    shown = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), *columns)
    return Progress(*shown, console=console, disable=not console.is_terminal)
