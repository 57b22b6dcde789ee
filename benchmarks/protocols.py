"""One network by every protocol, as a Markdown table with a column for each: no two share an unlabelled column.

    python benchmarks/protocols.py WEIGHTS DATA [--split val]

``DATA`` is the YAML of a data set, see docs/data.md. Prints the table that stands in docs/evaluate.md.
"""

import argparse

from yolopv2 import YOLOPv2
from yolopv2.evaluation.protocols import PROTOCOLS

FIRST = ("ap", "precision", "recall", "drivable_miou", "drivable_iou", "drivable_", "lane_iou", "lane_")
"""The order of the rows, by how their names begin."""


def table(weights: str, data: str, split: str) -> str:
    """The scores by every protocol."""
    model = YOLOPv2(weights, precision="float32")
    measured = {name: model.evaluate(data, name, split) for name in PROTOCOLS}
    names = {name for each in measured.values() for name in each.metrics}
    rows = [["", *measured]]
    for name in sorted(names, key=lambda name: (rank(name), name)):
        values = [each.metrics.get(name) for each in measured.values()]
        rows.append([name, *("" if value is None else f"{value:.4f}" for value in values)])
    rows.insert(1, ["---"] * len(rows[0]))
    any_ = next(iter(measured.values()))
    facts = [
        f"{weights}, {any_.model['runtime']}, input size {any_.model['size']}",
        f"{any_.data['frames']} frames, lane labels {any_.data['lane_width']} px wide",
        f"measured {any_.date[:10]} with yolopv2 {any_.versions['yolopv2']}",
    ]
    return "\n".join(["; ".join(facts) + ".", "", *(f"| {' | '.join(row)} |" for row in rows)])


def rank(name: str) -> int:
    """Place of a row's kind; what is of none comes last."""
    return next((place for place, beginning in enumerate(FIRST) if name.startswith(beginning)), len(FIRST))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights")
    parser.add_argument("data")
    parser.add_argument("--split", default="val")
    arguments = parser.parse_args()
    print(table(arguments.weights, arguments.data, arguments.split))
