"""How much a network loses when its frames go bad: the same scores on corrupted frames."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from yolopv2.data.dataset import Dataset
from yolopv2.data.sample import Sample
from yolopv2.errors import YolopError
from yolopv2.evaluation.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from yolopv2.evaluation.evaluate import score_frames
from yolopv2.evaluation.frame import Scorer
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.result import Evaluation
from yolopv2.evaluation.summary import summarize
from yolopv2.inference.predictor import Predictor

Scores = Mapping[str, float]


@dataclass(frozen=True)
class CorruptedDataset:
    """A data set whose frames are read corrupted; labels stay as they are.

    Attributes:
        dataset: The clean one.
        name: Of the corruption.
        severity: 1 to 5.
    """

    dataset: Dataset
    name: str
    severity: int

    @property
    def names(self) -> dict[int, str]:
        """Class names by class id."""
        return self.dataset.names

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Sample:
        sample = self.dataset[index]
        return replace(sample, image=corrupt(sample.image, self.name, self.severity, seed=index))


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
    predictor: Predictor,
    dataset: Dataset,
    scorer: Scorer,
    names: Sequence[str],
    indices: Sequence[int],
    progress: Callable[[], object] | None = None,
) -> dict[str, Any]:
    """Scores every corruption at every severity, and the same frames clean.

    Args:
        predictor: With the network.
        dataset: One split, clean.
        scorer: Scores one frame by a protocol.
        names: Of the corruptions.
        indices: Which frames; one that cannot be read is left out everywhere.
        progress: Called after each frame.

    Returns:
        ``frames`` (how many), ``clean`` (scores by name) and ``corrupted`` (by corruption the scores at severity 1, 2,
        3, 4 and 5).
    """
    quick = replace(scorer, protocol=_quick(scorer.protocol))

    def scores(data: Dataset) -> tuple[int, dict[str, float]]:
        records = []
        for outcome in score_frames(predictor, data, quick, indices):
            if isinstance(outcome, FrameRecord):
                records.append(outcome)
            if progress is not None:
                progress()
        metrics = summarize(records, quick.protocol, scorer.names).metrics
        return len(records), {name: metrics[name] for name in HEADLINE if name in metrics}

    frames, clean = scores(dataset)
    corrupted = {
        name: [scores(CorruptedDataset(dataset, name, severity))[1] for severity in SEVERITIES] for name in names
    }
    return {"frames": frames, "clean": clean, "corrupted": corrupted}
