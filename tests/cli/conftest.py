import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs the command line in this process."""

    def run(*arguments: object) -> Ran:
        from yolopv2.cli.main import main

        monkeypatch.setattr(sys, "argv", ["yolopv2", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def drive(tmp_path_factory, pictures):
    """A short video: 24 frames of 160x90 at 12 frames a second."""
    import numpy as np

    from yolopv2.media import VideoWriter

    path = tmp_path_factory.mktemp("drive") / "drive.mp4"
    with VideoWriter(path, 12, 160, 90) as video:
        for i in range(24):
            video.write(np.roll(pictures[0], 3 * i, axis=1))
    return path
