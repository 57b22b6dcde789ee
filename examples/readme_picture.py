"""Makes the README's picture: two generated frames, day and rainy night, seen by the bundled network."""

from pathlib import Path

import numpy as np

from yolopv2 import YOLOPv2
from yolopv2.data.synthetic import render_scene
from yolopv2.media import write_image

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "scene.jpg"


def main(path: Path = PICTURE) -> None:
    """Writes the picture."""
    model = YOLOPv2("nano")
    frames = [model(render_scene(seed).image).draw() for seed in (119, 20)]
    write_image(path, np.hstack(frames))


if __name__ == "__main__":
    main()
