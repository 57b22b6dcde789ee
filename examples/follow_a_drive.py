"""Streams a generated drive through the bundled network and prints what lies ahead.

python examples/follow_a_drive.py [drive.mp4]
"""

import sys

from yolopv2 import YOLOPv2
from yolopv2.data.synthetic import Drive


def main(source: str | None = None, frames: int = 10) -> None:
    """Prints one line per frame: how much of the picture is drivable, and the nearest vehicle."""
    model = YOLOPv2("nano")
    drive = source or [sample.image for sample in Drive(119).frames(frames)]
    for scene in model.stream(drive):
        line = f"{scene.index:5d}  drivable {scene.drivable.mean():4.0%}  lane lines {len(scene.lane_lines)}"
        if len(scene.vehicles):
            lowest = scene.vehicles.xyxy[:, 3].argmax()  # the box that reaches lowest is the nearest vehicle's
            line += f"  nearest vehicle {scene.vehicles.xyxy[lowest].round().astype(int).tolist()}"
        print(line)


if __name__ == "__main__":
    main(*sys.argv[1:])
