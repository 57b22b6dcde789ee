"""Trains the nano with one part of its recipe changed at a time, all at the same budget, and prints a table.

    python recipes/nano/ablation.py PACKED RUNS

PACKED is what ``prepare.py`` wrote. RUNS gets a run for each row; what is there already stays, and a run that was
interrupted goes on, so the command may be stopped and given again.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

BUDGET = ["--size", "320x192", "--epochs", "8", "--set", "epoch_samples=800", "--set", "validate_every=8"]
"""From random weights on a small canvas: what tells the parts apart, not what is reached with patience."""

RECIPE = ["--variant", "nano", "--set", "lanes=area", "--set", "loss.drivable=2.5", "--set", "ema_decay=0.99"]
RECIPE += ["--learning-rate", "0.002", "--set", "close_mosaic=2", "--set", "warmup_epochs=1"]


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        name: Of its run.
        what: What differs from the recipe, in words.
        settings: That, as ``--set`` takes it.
        data: The data set in PACKED.
    """

    name: str
    what: str
    settings: tuple[str, ...] = ()
    data: str = "nano.yaml"


COLOURS = ("hue", "saturation", "value", "rain", "fog", "night", "blur", "motion_blur", "noise", "jpeg")
GEOMETRY = ("rotate", "shear", "translate", "flip")

ROWS = [
    Row("recipe", "the recipe"),
    Row("seed", "the recipe, another seed", ("seed=1",)),
    Row("labels", "only the 838 frames with boxes, no teachers' masks", data="labels.yaml"),
    Row("real", "no generated scenes", data="real.yaml"),
    Row("mosaic", "no mosaic, no MixUp", ("augment.mosaic=0", "augment.mixup=0")),
    Row("colours", "no change of colour, weather or sharpness", tuple(f"augment.{name}=0" for name in COLOURS)),
    Row("geometry", "no zoom, shift, turn or mirror", ("augment.zoom=[1, 1]", *(f"augment.{g}=0" for g in GEOMETRY))),
    Row("anchors", "plain anchor matching for SimOTA", ("loss.assigner=anchors",)),
    Row("focal", "lanes by focal loss alone, no dice or IoU", ("loss.lane_dice=0", "loss.lane_iou=0")),
    Row("average", "no averaged weights", ("ema_decay=0",)),
    Row("uncertainty", "the balance of the tasks learned", ("loss.uncertainty=true",)),
    Row("sgd", "SGD at 0.01 for AdamW", ("optimizer=sgd", "learning_rate=0.01", "weight_decay=0.0005")),
]


def write_data(packed: Path) -> None:
    """Writes the YAMLs of the rows that learn from less, beside ``nano.yaml``."""
    mix = yaml.safe_load((packed / "nano.yaml").read_text())["sources"]
    labels = yaml.safe_load((packed / "val.yaml").read_text())
    labels["splits"] = {"train": "train", "val": "val"}
    (packed / "bdd100k_labels.yaml").write_text(yaml.safe_dump(labels))
    generated = [source for source in mix if source["data"] == "synthetic.yaml"]
    real = [source for source in mix if source["data"] != "synthetic.yaml"]
    (packed / "real.yaml").write_text(yaml.safe_dump({"sources": real}))
    share = 1 - generated[0]["share"]
    alone = {"sources": [{"data": "bdd100k_labels.yaml", "share": share}, *generated]}
    (packed / "labels.yaml").write_text(yaml.safe_dump(alone))


def train(row: Row, packed: Path, folder: Path) -> dict[str, float]:
    """Trains a row, unless that is done, and returns its scores on the split ``val``."""
    processes = os.cpu_count() or 1
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes), "-m", "yolopv2"]
    settings = [word for setting in row.settings for word in ("--set", setting)]
    begin = [str(packed / row.data), *RECIPE, *BUDGET, "--set", "cache=disk", *settings, "--output", str(folder)]
    words = ["--resume", str(folder)] if (folder / "state.pt").exists() else begin
    if not (scores := last_scores(folder)):
        subprocess.run([*command, "train", *words], check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        scores = last_scores(folder)
    return scores


def last_scores(folder: Path) -> dict[str, float]:
    """The scores of a run's last round; none if it has not got there."""
    log = folder / "log.jsonl"
    entries = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return next((entry["scores"] for entry in reversed(entries) if "scores" in entry), {})


def main(packed: Path, runs: Path) -> None:
    """Trains what is missing and prints the table."""
    write_data(packed)
    scores = {row: train(row, packed, runs / row.name) for row in ROWS}
    print("| | vehicle AP50 | drivable IoU | lane IoU |\n|---|---|---|---|")
    first = scores[ROWS[0]]
    for row, reached in scores.items():
        cells = []
        for name in ("ap50", "drivable_iou", "lane_iou"):
            change = "" if row is ROWS[0] else f" ({reached[name] - first[name]:+.3f})"
            cells.append(f"{reached[name]:.3f}{change}")
        print(f"| {row.what} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
