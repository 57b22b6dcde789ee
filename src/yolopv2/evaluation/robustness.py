"""How much a network loses when its frames go bad: the same scores on corrupted frames."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

import numpy as np

from yolopv2.data.dataset import Dataset
from yolopv2.data.sample import Sample
from yolopv2.errors import YolopError
from yolopv2.evaluation.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from yolopv2.evaluation.evaluate import score_frames
from yolopv2.evaluation.frame import Scorer
from yolopv2.evaluation.protocols import Protocol
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.result import Evaluation
from yolopv2.evaluation.summary import summarize
from yolopv2.inference.predictor import Predictor

SCORES = ("ap50", "drivable_iou", "lane_iou")
"""What is followed under corruption, one score for each task."""


class CorruptedDataset:
    """A data set whose frames are read corrupted; labels stay as they are.

    Args:
        dataset: The clean one.
        corruption: Its name.
        severity: 1 to 5.
    """

    def __init__(self, dataset: Dataset, corruption: str, severity: int) -> None:
        self.names = dataset.names
        self._dataset, self._corruption, self._severity = dataset, corruption, severity

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        sample = self._dataset[index]
        return replace(sample, image=corrupt(sample.image, self._corruption, self._severity, seed=index))


def corruption_names(text: str) -> tuple[str, ...]:
    """Reads what ``--corrupt`` takes: ``all``, or names with commas between them.

    Raises:
        YolopError: One of them does not exist.

    Example:
        >>> corruption_names("fog, rain"), len(corruption_names("all"))
        (('fog', 'rain'), 15)
    """
    names = tuple(CORRUPTIONS) if text.strip() == "all" else tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in CORRUPTIONS:
            raise YolopError(f"no corruption is called {name!r}; there are: all, {', '.join(CORRUPTIONS)}")
    return tuple(dict.fromkeys(names))


def measure_robustness(
    measured: Evaluation,
    predictor: Predictor,
    dataset: Dataset,
    names: Sequence[str],
    most: int | None = None,
    progress: Callable[[], object] | None = None,
) -> dict[str, Any]:
    """Scores corrupted frames, at every severity, by the protocol of an evaluation of the same frames clean.

    Args:
        measured: The evaluation.
        predictor: With the network that was evaluated.
        dataset: The split it was evaluated on.
        names: Of the corruptions.
        most: At most so many frames, evenly spaced; all that were scored if None.
        progress: Called after each frame; there are `robustness_steps` of them.

    Returns:
        ``frames`` (how many), ``clean`` (scores by name, of these frames) and ``corrupted`` (by corruption the scores
        at severity 1, 2, 3, 4 and 5).
    """
    records = _spaced(measured.frames, most)
    rules = _quick(measured.rules)
    scorer = Scorer(rules, predictor.runtime.names, dataset.names, measured.data["lane_width"])

    def scores(data: Dataset) -> dict[str, float]:
        outcomes = []
        for outcome in score_frames(predictor, data, scorer, [record.index for record in records]):
            outcomes.append(outcome)
            if progress is not None:
                progress()
        return _followed([outcome for outcome in outcomes if isinstance(outcome, FrameRecord)], scorer)

    return {
        "frames": len(records),
        "clean": _followed(records, scorer),
        "corrupted": {
            name: [scores(CorruptedDataset(dataset, name, severity)) for severity in SEVERITIES] for name in names
        },
    }


def robustness_steps(measured: Evaluation, names: Sequence[str], most: int | None) -> int:
    """How many frames `measure_robustness` looks at, all corruptions and severities together."""
    return len(_spaced(measured.frames, most)) * len(names) * len(SEVERITIES)


def mean_over_severities(robustness: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Of every corruption the mean of each score over its severities.

    Args:
        robustness: What `measure_robustness` gave.

    Example:
        >>> fog = [{"ap50": 0.5}, {"ap50": 0.4}, {"ap50": 0.3}, {"ap50": 0.2}, {"ap50": 0.1}]
        >>> mean_over_severities({"clean": {"ap50": 0.6}, "corrupted": {"fog": fog}})
        {'fog': {'ap50': 0.3}}
    """
    return {
        corruption: {name: fmean(scores[name] for scores in severities) for name in robustness["clean"]}
        for corruption, severities in robustness["corrupted"].items()
    }


def mean_over_corruptions(robustness: Mapping[str, Any]) -> dict[str, float]:
    """Mean performance under corruption (Michaelis et al., https://arxiv.org/abs/1907.07484): of each score the mean
    over all corruptions and severities."""
    means = mean_over_severities(robustness).values()
    return {name: fmean(scores[name] for scores in means) for name in robustness["clean"]}


def _spaced(records: Sequence[FrameRecord], most: int | None) -> list[FrameRecord]:
    count = min(most or len(records), len(records))
    return [records[i] for i in np.linspace(0, len(records) - 1, count).round().astype(int).tolist()]


def _followed(records: Sequence[FrameRecord], scorer: Scorer) -> dict[str, float]:
    metrics = summarize(records, scorer.protocol, scorer.names).metrics
    return {name: metrics[name] for name in SCORES if name in metrics}


def _quick(rules: Protocol) -> Protocol:
    """The protocol without what takes long and is not followed: boundaries and panoptic quality."""
    drivable, lanes = (
        tuple(name for name in names if not name.startswith("boundary")) for names in (rules.drivable, rules.lanes)
    )
    return replace(rules, panoptic=False, drivable=drivable, lanes=lanes)
