"""Errors that a user can cause: each message says what was wrong, where, and what to do."""

import difflib
from collections.abc import Iterable


class YolopError(Exception):
    """Base of every error that is the input's fault and not the program's; shown without a traceback."""


class MissingExtra(YolopError):  # noqa: N818 - named for what the user reads
    """A feature needs a library that an optional extra of this package brings.

    Args:
        extra: Name of the extra in ``pip install "yolopv2[extra]"``.
        feature: What needs it, as the start of a sentence.

    Example:
        >>> print(MissingExtra("torch", "Training"))
        Training needs PyTorch or what comes with it; install it with: pip install "yolopv2[torch]"
    """

    def __init__(self, extra: str, feature: str) -> None:
        brings = "PyTorch or what comes with it" if extra in {"torch", "train"} else f"the extra '{extra}'"
        super().__init__(f'{feature} needs {brings}; install it with: pip install "yolopv2[{extra}]"')


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: what may have been meant.

    Args:
        word: What was given.
        known: What there is.

    Example:
        >>> "no key 'epoch'" + nearest("epoch", ["epochs", "seed"])
        "no key 'epoch', perhaps 'epochs' is meant"
        >>> "no key 'x'" + nearest("x", ["epochs", "seed"])
        "no key 'x'; known are epochs, seed"
    """
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1)
    return f", perhaps {close[0]!r} is meant" if close else f"; known are {', '.join(known)}"
