"""From a comparison to what its page shows."""

from collections.abc import Iterator
from typing import Any

from yolopv2.evaluation.compare import Comparison
from yolopv2.evaluation.report.charts import precision_over_recall
from yolopv2.evaluation.report.page import facts, signed
from yolopv2.evaluation.report.words import full_label, word


def comparison_page(comparison: Comparison, names: tuple[str, str]) -> dict[str, Any]:
    """What the page of a comparison shows.

    Args:
        comparison: Of two evaluations.
        names: What they are called.
    """
    a, b = comparison.a, comparison.b
    both = ((f"first: {names[0]}", a), (f"second: {names[1]}", b))
    curves = {
        f"{which}, {name}": curve
        for which, evaluation in (("first", a), ("second", b))
        for name, curve in evaluation.curves.items()
    }
    sections = {"differences": "Differences", **({"curves": "Curves"} if curves else {}), "made": "What is compared"}
    return {
        "title": "Two evaluations compared",
        "lead": f"{names[1]} against {names[0]}, {len(a.frames):,} frames, protocol {a.protocol}",
        "sections": list(sections.items()),
        "verdict": _verdict(comparison),
        "differences": list(_differences(comparison)),
        "reach": max(*(abs(end) for each in comparison.differences for end in (each.low, each.high)), 1e-3),
        "draws": comparison.draws,
        "notes": comparison.notes,
        "curves": precision_over_recall(curves) if curves else None,
        "made": [
            {"title": title, "rows": [*facts(each.model), ("command", each.command), ("date", each.date)]}
            for title, each in both
        ],
    }


def _verdict(comparison: Comparison) -> str:
    """The result in a sentence or three."""
    sentences = []
    for verdict, words in _VERDICTS.items():
        found = [full_label(each.name) for each in comparison.differences if each.verdict == verdict]
        if found:
            sentences.append(f"{words}: {'; '.join(found)}.")
    return " ".join(sentences)


_VERDICTS = {
    "real, better": "The second is better",
    "real, worse": "The second is worse",
    "within noise": "No difference beyond the luck of the frames",
}


def _differences(comparison: Comparison) -> Iterator[dict[str, Any]]:
    for each in comparison.differences:
        yield {
            "task": word(each.name).task,
            "label": full_label(each.name),
            "a": each.a,
            "b": each.b,
            "difference": each.difference,
            "signed": signed(each.difference),
            "low": each.low,
            "high": each.high,
            "interval": f"{signed(each.low)} to {signed(each.high)}",
            "p": each.p,
            "verdict": each.verdict,
            "mark": {"real, better": "up", "real, worse": "down"}.get(each.verdict, "noise"),
        }
