"""Has something become slower since an earlier run? Ratios between rows are compared, never seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from statistics import median_low

from yolopv2.benchmark.report import Report, Setup
from yolopv2.errors import YolopError

TOLERANCE = 0.15


@dataclass(frozen=True)
class Change:
    """What became of one row.

    Attributes:
        setup: Which.
        was: How many times as quick as the first row it was.
        now: And is.
        times: How many times as long it takes, against what became of the other rows; above 1 is slower.
        slower: Whether that is beyond the tolerance.
    """

    setup: Setup
    was: float
    now: float
    times: float
    slower: bool

    def __str__(self) -> str:
        state = "slower" if self.slower else "as quick" if self.times > 1 / (1 + TOLERANCE) else "quicker"
        return (
            f"{self.setup}: {state}, takes {self.times:.2f} times as long as the other rows let expect "
            f"({self.was:.2f} times the first row's speed then, {self.now:.2f} now)"
        )


@dataclass(frozen=True)
class Comparison:
    """Two runs beside each other.

    Attributes:
        changes: Of the rows that both have.
        missing: Rows of the earlier run that the later lacks, each with the reason where it is known.
        notes: What a reader must know.
    """

    changes: tuple[Change, ...]
    missing: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing is slower and nothing missing."""
        return not self.missing and not any(change.slower for change in self.changes)


def compare(earlier: Report, later: Report, tolerance: float = TOLERANCE) -> Comparison:
    """What has become slower.

    Each row's ratio is compared with what became of all other rows (their median, the lower one of two), so that a
    machine that is quicker or slower as a whole changes nothing, and a slower first row, to which all ratios relate, is
    found as well. What slows most rows alike cannot be told from a slower machine, nor with two rows a quicker one from
    a slower other.

    Args:
        earlier: The run to be held.
        later: The run of now.
        tolerance: 0.15 lets a row take 15 % longer.

    Raises:
        YolopError: The tolerance is negative, or the two have fewer than two rows in common: there is no ratio.
    """
    if not 0 <= tolerance < float("inf"):
        raise YolopError(f"the tolerance must be 0 or more, such as 0.15, not {tolerance}")
    was = {row.setup: row.ratio for row in earlier.rows}
    now = {row.setup: row.ratio for row in later.rows}
    common = [setup for setup in was if setup in now]
    if len(common) < 2:
        raise YolopError(
            f"a check compares ratios between rows and needs two that both runs have; they share {len(common)}"
        )
    grown = {setup: log(now[setup] / was[setup]) for setup in common}
    changes = []
    for setup in common:
        others = median_low(grown[other] for other in common if other != setup)
        times = exp(others - grown[setup])
        changes.append(Change(setup, was[setup], now[setup], times, times > 1 + tolerance))
    reasons = {entry.setup: entry.reason for entry in later.left_out}
    missing = {str(setup): reasons.get(setup, "it was not measured") for setup in was if setup not in now}
    return Comparison(tuple(changes), missing, tuple(_notes(earlier, later)))


def _notes(earlier: Report, later: Report) -> list[str]:
    notes = []
    for what, then, today in (
        ("machine", earlier.machine, later.machine),
        ("versions", earlier.versions, later.versions),
        ("frame", {"size": "x".join(map(str, earlier.frame))}, {"size": "x".join(map(str, later.frame))}),
    ):
        changed = [name for name in {**then, **today} if then.get(name) != today.get(name)]
        if changed:
            told = ", ".join(f"{name} {then.get(name, 'none')} then, {today.get(name, 'none')} now" for name in changed)
            notes.append(f"another {what}: {told}" if what != "versions" else f"other versions: {told}")
    if earlier.machine != later.machine:
        notes.append("ratios differ between processors: measure the earlier run again on this machine to be sure")
    return notes
