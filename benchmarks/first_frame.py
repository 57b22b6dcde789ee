"""How long a new process takes to its first Scene, with nothing compiled yet (cold) and from the cache (warm).

    python benchmarks/first_frame.py

Each line is the median of three whole processes, start of Python to exit; the cold ones have an empty cache each.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from yolopv2.data.synthetic import render_scene
from yolopv2.files import write_image

REPEATS = 3
PYTHON = "from yolopv2 import YOLOPv2; YOLOPv2('nano')({!r})"
COMMAND = (
    "import sys; from yolopv2.cli.main import main; sys.argv = ['yolopv2', 'predict', {!r}, '--output', {!r}]; main()"
)


def seconds(code: str, cache: Path) -> float:
    """Wall time of one process."""
    began = time.perf_counter()
    environment = {**os.environ, "YOLOPV2_CACHE": str(cache)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Measures and prints a table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture = str(folder / "in" / "x.jpg")
        write_image(picture, render_scene(7).image)
        print("| seconds | cold | warm |\n|---|---|---|")
        for label, code in (
            ("YOLOPv2('nano')('x.jpg')", PYTHON.format(picture)),
            ("yolopv2 predict x.jpg", COMMAND.format(picture, str(folder / "out"))),
        ):
            cold = [seconds(code, folder / f"{label[:7]}-{number}") for number in range(REPEATS)]
            warm = [seconds(code, folder / f"{label[:7]}-0") for _ in range(REPEATS)]
            print(f"| `{label}` | {np.median(cold):.2f} | {np.median(warm):.2f} |")


if __name__ == "__main__":
    main()
