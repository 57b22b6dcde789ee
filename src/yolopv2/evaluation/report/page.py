"""From an evaluation to what its page shows, in which words; how it looks is in the templates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from yolopv2.evaluation.report.charts import Plot, precision_over_recall, reliability
from yolopv2.evaluation.report.gallery import Group
from yolopv2.evaluation.report.words import TASKS, full_label, word
from yolopv2.evaluation.result import HEADLINE, Evaluation
from yolopv2.evaluation.robustness import mean_over_corruptions, mean_over_severities
from yolopv2.evaluation.slices import DARK, slices


@dataclass(frozen=True)
class Table:
    """A table of numbers.

    Attributes:
        caption: What it shows.
        columns: Heads of all columns, that of the rows' names included.
        rows: A name and its cells: counts as whole numbers, scores as floats, None where there is none.
        note: What must be said of it.
        meanings: What each row means, or nothing.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str | int | float | None]]]
    note: str = ""
    meanings: Sequence[str] = ()


def evaluation_page(evaluation: Evaluation, gallery: Sequence[Group]) -> dict[str, Any]:
    """What the page of an evaluation shows; a task that was not measured is left out, with a sentence.

    Args:
        evaluation: What was measured.
        gallery: Its worst frames.
    """
    model, data = evaluation.model, evaluation.data
    weights, split = model.get("weights", "the network"), data.get("split", "")
    page = {
        "title": f"{weights} on {data.get('path', 'its data')} {split}".strip(),
        "lead": f"{data['frames']:,} frames, {evaluation.date.replace('T', ' ')[:16]}".strip(", "),
        "protocol": evaluation.rules,
        "has_intervals": bool(evaluation.intervals),
        "headline": list(_headline(evaluation)),
        "missing": [
            f"Not measured: {full_label(name)}, because {why}." for name, why in evaluation.unavailable.items()
        ],
        "notes": list(evaluation.notes),
        "vehicles": _vehicles(evaluation),
        "masks": _masks(evaluation),
        "confusion": list(_confusion(evaluation)),
        "panoptic": _panoptic(evaluation),
        "slices": list(_slices(evaluation)),
        "robustness": robustness_section(evaluation.robustness) if evaluation.robustness else None,
        "speed": list(_speed(evaluation.speed)),
        "gallery": gallery,
        "command": evaluation.command,
        "made": list(_made(evaluation)),
        "unreadable": evaluation.unreadable,
    }
    page["sections"] = [
        (section, title) for section, title in _SECTIONS.items() if page.get(_SHOWS.get(section, section))
    ]
    return page


_SECTIONS = {
    "headline": "Headline",
    "vehicles": "Vehicles",
    "masks": "Masks",
    "confusion": "Confusion",
    "panoptic": "Panoptic quality",
    "slices": "Slices",
    "robustness": "Robustness",
    "speed": "Speed",
    "worst": "Worst frames",
    "made": "How it was measured",
}
_SHOWS = {"worst": "gallery"}


def _headline(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    for name in HEADLINE:
        if name in evaluation.metrics:
            yield {
                "task": word(name).task,
                "label": full_label(name),
                "meaning": word(name).meaning,
                **_with_ends(evaluation.metrics[name], *evaluation.intervals.get(name, (None, None))),
            }


def _vehicles(evaluation: Evaluation) -> dict[str, Any] | None:
    if not evaluation.per_class:
        return None
    plots: list[Plot] = [precision_over_recall(evaluation.curves)]
    if any(each["count"] for each in evaluation.calibration):
        plots.append(reliability(evaluation.calibration, evaluation.metrics.get("ece")))
    return {
        "classes": _scores_table("By class", "class", evaluation.per_class),
        "sizes": _scores_table("By size", "size", evaluation.per_size, _SIZES) if evaluation.per_size else None,
        "plots": plots,
    }


_SIZES = "COCO's sizes: small is below 32x32 pixels of the frame, large above 96x96."


def _scores_table(caption: str, first: str, groups: Mapping[str, Mapping[str, float]], note: str = "") -> Table:
    columns = list(dict.fromkeys(name for scores in groups.values() for name in scores))
    rows = [(group, [_cell(name, scores.get(name)) for name in columns]) for group, scores in groups.items()]
    return Table(caption, [first, *(word(name).label for name in columns)], rows, note)


def _cell(name: str, value: float | None) -> int | float | None:
    return int(value) if name == "labels" and value is not None else value


def _masks(evaluation: Evaluation) -> Table | None:
    """Scores of both masks, a row for each score."""
    by_task = {
        task: {
            name.removeprefix(prefix): value for name, value in evaluation.metrics.items() if name.startswith(prefix)
        }
        for task, prefix in (("drivable", "drivable_"), ("lanes", "lane_"))
    }
    by_task = {task: scores for task, scores in by_task.items() if scores}
    if not by_task:
        return None
    names = list(dict.fromkeys(name for scores in by_task.values() for name in scores))
    prefix = "drivable_"
    rows = [(word(prefix + name).label, [scores.get(name) for scores in by_task.values()]) for name in names]
    width = evaluation.data.get("lane_width")
    note = "" if width is None or "lanes" not in by_task else f"Labelled markings are {width} pixels wide, measured."
    meanings = [word(prefix + name).meaning for name in names]
    return Table("Pixels", ["score", *(TASKS[task] for task in by_task)], rows, note, meanings)


def _confusion(evaluation: Evaluation) -> Iterator[Table]:
    masks = {task: counts for task, counts in evaluation.confusion.items() if "tn" in counts}
    if masks:
        rows = [
            (TASKS[task], [_share(counts[key], sum(counts.values())) for key in ("tp", "fp", "fn", "tn")])
            for task, counts in masks.items()
        ]
        yield Table("Shares of the labelled pixels", ["", "found", "wrong", "missed", "rightly left"], rows)
    segments = {name: counts for name, counts in evaluation.confusion.items() if "tn" not in counts}
    if segments:
        counted = [(_segment(name), [counts[key] for key in ("tp", "fp", "fn")]) for name, counts in segments.items()]
        note = "A pair is found where it overlaps by more than half, at the confidence that prediction has by default."
        yield Table("Segments", ["", "found", "wrong", "missed"], counted, note)


def _segment(name: str) -> str:
    """``box_pq vehicle`` in words."""
    kind, _, category = name.partition(" ")
    return category + {"box_pq": " (boxes)", "stuff_pq": " (areas)"}.get(kind, "")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else ""


def _panoptic(evaluation: Evaluation) -> Table | None:
    rows = []
    for kind, label in (("", "panoptic, instance masks"), ("box_", "boxes"), ("stuff_", "drivable area and markings")):
        if f"{kind}pq" in evaluation.metrics:
            rows.append((label, [evaluation.metrics.get(kind + name) for name in ("pq", "sq", "rq")]))
    note = (
        "PQ = SQ x RQ (arXiv 1801.00868): mean overlap of the segments found, times the F1 of finding them. Only the "
        "first row may stand beside published panoptic quality; the others are what boxes and masks allow."
    )
    return Table("Segments found, and how well", ["", "PQ", "SQ", "RQ"], rows, note) if rows else None


def _with_ends(value: float, low: float | None, high: float | None) -> dict[str, float | None]:
    return {"value": value, "low": low, "high": high}


_SLICED = ("ap50", "recall", "drivable_iou", "lane_iou")


def _slices(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """A table for each way of cutting, without the slice that is everything."""
    for group, found in groupby(slices(evaluation), key=lambda part: part.group):
        parts = [part for part in found if part.scores]
        shown = [name for name in _SLICED if any(name in part.scores for part in parts)]
        if group == "all" or not shown:
            continue
        yield {
            "name": _GROUPS.get(group, group.replace("_", " ")),
            "note": _GROUP_NOTES.get(group, ""),
            "columns": [full_label(name) for name in shown],
            "rows": [
                {
                    "name": part.name,
                    "frames": part.frames,
                    "labels": part.labels,
                    "cells": [
                        {"task": word(name).task, **_with_ends(*part.scores[name])} if name in part.scores else None
                        for name in shown
                    ],
                }
                for part in parts
            ],
        }


_GROUPS = {"timeofday": "time of day"}
_GROUP_NOTES = {
    "brightness": f"Dark is a mean grey value below {DARK:.0f} of 255.",
    "size": _SIZES,
    "distance": "Told by the height of the box: far is below 1/24 of the frame's height, near above 1/8.",
}


def robustness_section(robustness: Mapping[str, Any]) -> dict[str, Any]:
    """A table for each score: corruptions by severities, the colour stronger the more is lost.

    Args:
        robustness: See `yolopv2.evaluation.robustness.measure_robustness`.
    """
    by_corruption, overall = mean_over_severities(robustness), mean_over_corruptions(robustness)
    tables = []
    for score, clean in robustness["clean"].items():
        rows = []
        for corruption, severities in robustness["corrupted"].items():
            mean = by_corruption[corruption][score]
            cells = [each[score] for each in severities]
            rows.append(
                {
                    "name": corruption.replace("_", " "),
                    "cells": [{"value": value, "heat": _heat(clean, value)} for value in [*cells, mean]],
                    "drop": signed(mean - clean),
                }
            )
        tables.append(
            {
                "task": word(score).task,
                "label": full_label(score),
                "clean": clean,
                "mean": overall[score],
                "drop": signed(overall[score] - clean),
                "severities": list(range(1, len(cells) + 1)),
                "rows": rows,
            }
        )
    words = (
        f"The same scores on {robustness['frames']:,} frames made worse on purpose, at severities from 1 (slight) to 5 "
        "(severe), after the common corruptions of Hendrycks and Dietterich (arXiv 1903.12261). The stronger the "
        "colour, the more of the clean score is lost."
    )
    return {"words": words, "tables": tables}


def _heat(clean: float, value: float) -> float:
    """Opacity of a cell: the share of the clean score that is lost, up to 0.8."""
    return 0.8 * min(max((clean - value) / clean, 0.0), 1.0) if clean else 0.0


def signed(value: float) -> str:
    """A difference with its sign."""
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def _speed(speed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not speed:
        return
    for stage, times in speed["latency_ms"].items():
        label = "from frame to scene" if stage == "whole" else stage
        yield label, f"{times['p50']:.1f} ms median, {times['p90']:.1f} p90, {times['p99']:.1f} p99"
    yield "throughput", f"{speed['throughput']:.1f} frames per second in batches of {speed['batch']}"
    width, height = speed["frame"]
    yield (
        "frames",
        f"{width}x{height}, {speed['counted']} after {speed['warm_up']} to warm up; reading files not included",
    )
    yield "machine", f"{speed['runtime']}, {speed['cores']} cores"


def _made(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """Facts in groups: of the protocol, the network, the data and the program."""
    rules = evaluation.rules
    box_rules = (
        f"confidence from {rules.confidence}, NMS IoU {rules.nms_iou}, at most {rules.max_det}; matched as {rules.rule}"
    )
    yield {
        "title": "Protocol",
        "rows": [
            ("name", rules.name),
            ("what it is", rules.about),
            ("from", rules.source),
            ("boxes", box_rules),
            ("masks", _GEOMETRY[rules.geometry]),
            (
                "averaged over",
                {"dataset": "the whole set", "batch": f"batches of {rules.batch}"}.get(rules.average, "frames"),
            ),
        ],
    }
    yield {"title": "Network", "rows": list(facts(evaluation.model))}
    yield {"title": "Data", "rows": list(facts(evaluation.data))}
    made = {"date": evaluation.date, **evaluation.versions}
    yield {"title": "Program", "rows": list(facts(made))}


_GEOMETRY = {
    "frame": "compared in the labels' own pixels",
    "letterbox": "compared on the canvas without its padding",
    "canvas": "compared on the canvas with its padding",
    "stretch": "compared on a square canvas, the frame stretched",
}


def facts(known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is known of something as names and texts; what is empty is left out."""
    for name, value in known.items():
        if value not in (None, "", [], {}):
            text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            yield name.replace("_", " "), text
