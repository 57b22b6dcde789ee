"""Two evaluations of the same frames: which differences are real, and which are the luck of the frames."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.resampling import FrameTable
from yolopv2.evaluation.result import HEADLINE, Evaluation

DRAWS = 2000
"""How often frames are drawn again."""

FEW_FRAMES = 20
"""Below so many the percentiles of a bootstrap cover too little."""


@dataclass(frozen=True)
class Difference:
    """One score of two evaluations.

    Attributes:
        name: Of the score.
        a: The first evaluation's, in 0..1.
        b: The second's.
        low: Lower end of the 95 % interval of ``b - a``.
        high: Its upper end.
        p: Two-sided p-value of there being no difference, in 0..1.
    """

    name: str
    a: float
    b: float
    low: float
    high: float
    p: float

    @property
    def difference(self) -> float:
        """``b - a``."""
        return self.b - self.a

    @property
    def is_real(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low > 0 or self.high < 0

    @property
    def verdict(self) -> str:
        """In words."""
        return ("real, better" if self.difference > 0 else "real, worse") if self.is_real else "within noise"


@dataclass(frozen=True)
class Comparison:
    """The second of two evaluations against the first.

    Attributes:
        a: The first.
        b: The second.
        differences: Of the scores both have.
        draws: How often the frames were drawn again.
        notes: What a reader must know.
    """

    a: Evaluation
    b: Evaluation
    differences: tuple[Difference, ...]
    draws: int
    notes: tuple[str, ...]


def compare_evaluations(
    a: Evaluation, b: Evaluation, draws: int = DRAWS, seed: int = 0, progress: Callable[[], object] | None = None
) -> Comparison:
    """Compares two evaluations frame by frame: a paired bootstrap (Efron and Tibshirani 1993, chapter 16).

    The frames are drawn again with replacement, the same ones for both, and every score is computed anew, average
    precision included. Where 95 % of the differences lie is the interval. It tells how the frames' luck moves the
    numbers; not what another training run or other labels would do.

    Args:
        a: The first.
        b: The second.
        draws: How often, 1000 or more.
        seed: Of the draws; the same seed gives the same result.
        progress: Called after each draw.

    Raises:
        YolopError: They are of different protocols, frames, classes or labels, or have no score in common.
    """
    if draws < 1000:
        raise YolopError(f"an interval of 95 % takes 1000 draws or more, not {draws}")
    records_a, records_b = _matched(a, b)
    table_a, table_b = FrameTable(records_a, a.rules), FrameTable(records_b, b.rules)
    frames = len(records_a)

    def both(weights: NDArray[np.int64] | None = None) -> dict[str, tuple[float, float]]:
        of_a, of_b = table_a.scores(weights), table_b.scores(weights)
        return {name: (of_a[name], of_b[name]) for name in HEADLINE if name in of_a and name in of_b}

    values = both()
    if not values:
        raise YolopError("the two evaluations have no score in common")
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {name: [] for name in values}
    for _ in range(draws):
        for name, (of_a, of_b) in both(rng.multinomial(frames, np.full(frames, 1 / frames))).items():
            drawn[name].append(of_b - of_a)
        if progress is not None:
            progress()
    differences = tuple(_difference(name, *pair, np.array(drawn[name])) for name, pair in values.items())
    return Comparison(a, b, differences, draws, tuple(_notes(a, b, values)))


def _difference(name: str, a: float, b: float, drawn: NDArray[np.float64]) -> Difference:
    low, high = np.percentile(drawn, [2.5, 97.5])
    beyond = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    p = min(1.0, 2 * (beyond + 1) / (len(drawn) + 1))
    return Difference(name, a, b, float(low), float(high), p)


def _matched(a: Evaluation, b: Evaluation) -> tuple[list[FrameRecord], list[FrameRecord]]:
    """The records of both in the same order, after a proof that they are of the same frames and labels."""
    if a.protocol != b.protocol:
        raise YolopError(
            f"protocols differ: {a.protocol} and {b.protocol}; scores of two protocols are different things, "
            "evaluate both by one"
        )
    if list(a.data["classes"]) != list(b.data["classes"]):
        raise YolopError(f"classes differ: {', '.join(a.data['classes'])} and {', '.join(b.data['classes'])}")
    by_id_a, by_id_b = _by_id(a.frames), _by_id(b.frames)
    if by_id_a.keys() != by_id_b.keys():
        first, second = sorted(by_id_a.keys() - by_id_b.keys()), sorted(by_id_b.keys() - by_id_a.keys())
        example = f"for example {(first or second)[0]} is only in the {'first' if first else 'second'}"
        raise YolopError(
            f"frames differ: {len(first)} are only in the first evaluation, {len(second)} only in the second, "
            f"{example}; "
            "evaluate both on the same split"
        )
    order = sorted(by_id_a, key=lambda frame: by_id_a[frame].index)
    pairs = [(by_id_a[frame], by_id_b[frame]) for frame in order]
    for left, right in pairs:
        if left.boxes is not None and right.boxes is not None and _labels(left) != _labels(right):
            raise YolopError(f"labels differ at frame {left.id}: evaluate both on the same data")
    return [left for left, _ in pairs], [right for _, right in pairs]


def _by_id(frames: Sequence[FrameRecord]) -> dict[str, FrameRecord]:
    found = {record.id: record for record in frames}
    if not found or len(found) < len(frames):
        raise YolopError("an evaluation without frames, or with a frame twice, cannot be compared")
    return found


def _labels(record: FrameRecord) -> dict[int, tuple[int, ...]]:
    """Numbers of labels by class; classes of which only boxes were seen do not count."""
    assert record.boxes is not None
    return {class_id: tuple(counts) for class_id, counts in record.boxes.labels.items() if any(counts)}


def _notes(a: Evaluation, b: Evaluation, compared: Mapping[str, object]) -> Iterator[str]:
    if len(a.frames) < FEW_FRAMES:
        yield f"with {len(a.frames)} frames only, intervals are narrower than they should be"
    if a.rules.average == "batch":
        yield "masks are counted over all frames together here, and not by batch as the protocol does"
    missing = [name for name in HEADLINE if name not in compared and (name in a.metrics or name in b.metrics)]
    if missing:
        yield f"only one of the two has {', '.join(missing)}"
