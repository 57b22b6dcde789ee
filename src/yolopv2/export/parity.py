"""Proof that an export sees what the network sees: both look at the same frames, evaluation's code compares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolopv2.data.sample import Sample
from yolopv2.errors import YolopError
from yolopv2.evaluation.frame import Scorer
from yolopv2.evaluation.panoptic import pair_boxes
from yolopv2.evaluation.protocols import protocol
from yolopv2.evaluation.records import FrameRecord
from yolopv2.evaluation.summary import summarize
from yolopv2.export.frames import Frames
from yolopv2.export.options import Options
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.postprocess import Thresholds, to_scene, to_vehicles
from yolopv2.inference.predictor import Look, Predictor
from yolopv2.inference.runtimes import Runtime
from yolopv2.media import Frame
from yolopv2.scene import Vehicles

LIKELY = 0.1
"""Boxes below this score are compared by score alone: where they lie matters to nobody."""

SURE = 0.02
"""So far above the threshold the score of a box must be that it counts as decided: nearer, arithmetic in another order
may drop it, which shows where a graph suppresses boxes itself."""

SCORES = ("ap50", "drivable_iou", "lane_iou")
"""What is compared, of those of the protocol ``dataset``."""


@dataclass(frozen=True)
class Bounds:
    """How far an export may be from its network.

    Attributes:
        scores: Largest difference of a score.
        boxes: Largest shift of a side of a box with a score of at least `LIKELY`, in pixels of the canvas.
        mean: Mean difference of a mask's probability; of other numbers, relative to their mean size.
        agreement: Least AP50 and IoU with the network's own decisions as labels.
        drop: Most that AP50 or an IoU on real labels may be lower than the network's.
    """

    scores: float
    boxes: float
    mean: float
    agreement: float
    drop: float


BOUNDS = {
    "float32": Bounds(scores=0.001, boxes=0.1, mean=0.001, agreement=0.95, drop=0.001),
    "half": Bounds(scores=0.02, boxes=1.0, mean=0.01, agreement=0.94, drop=0.005),
    "int8": Bounds(scores=np.inf, boxes=np.inf, mean=np.inf, agreement=0.8, drop=0.03),
}
"""By `Options.precision`: arithmetic in another order, weights rounded to float16, most layers in 8 bits."""


@dataclass(frozen=True)
class Parity:
    """How an export compares with eager float32.

    Attributes:
        frames: How many frames both looked at.
        source: Whence the frames.
        differences: By output: see `Bounds` for the measures. Boxes that a graph suppresses are no outputs of the
            network's and stand in ``agreement`` alone.
        agreement: ``ap50``, ``drivable_iou`` and ``lane_iou`` with the network's decisions as labels, and ``mask_iou``,
            the mean over vehicles that both see.
        network: The same scores of the network on the frames' labels; empty if there are none.
        export: And of the export.
    """

    frames: int
    source: str
    differences: dict[str, float]
    agreement: dict[str, float]
    network: dict[str, float]
    export: dict[str, float]

    @property
    def drops(self) -> dict[str, float]:
        """How much lower each score on labels is than the network's."""
        return {name: value - self.export.get(name, 0.0) for name, value in self.network.items()}

    @property
    def lines(self) -> list[str]:
        """A small table, for people."""
        rows = [("", "network", "export", "difference")]
        for name, value in self.differences.items():
            largest = name in ("boxes", "scores")
            rows.append((f"{name}, {'largest' if largest else 'mean'}", "", "", f"{value:.2g}"))
        for name, value in self.agreement.items():
            rows.append((f"{name}, network's own view", "1", f"{value:.4f}", f"{value - 1:+.4f}"))
        for name, drop in self.drops.items():
            on_labels = self.network[name]
            rows.append((f"{name}, labels", f"{on_labels:.4f}", f"{on_labels - drop:.4f}", f"{-drop:+.4f}"))
        return [f"  {what:<34}{a:>8}{b:>8}{c:>12}" for what, a, b, c in rows]

    def beyond(self, bounds: Bounds) -> list[str]:
        """What is out of bounds, in words."""
        most = {name: getattr(bounds, name, bounds.mean) for name in self.differences}
        return [  # written so that NaN is out of bounds
            *(f"{name} differ by {value:.2g}, allowed {most[name]:g}"
              for name, value in self.differences.items() if not value <= most[name]),
            *(f"{name} with the network's view as labels is {value:.4f}, at least {bounds.agreement:g} is asked"
              for name, value in self.agreement.items() if not value >= bounds.agreement),
            *(f"{name} on labels drops by {value:.4f}, allowed {bounds.drop:g}"
              for name, value in self.drops.items() if not value <= bounds.drop),
        ]  # fmt: skip


def require(parity: Parity, options: Options) -> None:
    """Refuses an export that is too far from its network.

    Raises:
        YolopError: Something is out of the bounds of the precision.
    """
    if beyond := parity.beyond(BOUNDS[options.precision]):
        raise YolopError(
            f"the export does not see what the network sees ({'; '.join(beyond)}; {parity.frames} frames, "
            f"{parity.source}); nothing was written"
        )


class Reference:
    """What the network sees, in eager float32, in the frames of a proof.

    Args:
        network: The network in eager PyTorch.
        frames: What both look at.
        options: The export's; its canvas if static, and its thresholds if it suppresses.
    """

    def __init__(self, network: Runtime, frames: Frames, options: Options) -> None:
        self.frames, self._size = frames, options.size
        self._fit = options.fit
        self._decided = options.nms or Thresholds()
        rules = replace(protocol("dataset"), drivable=("iou",), lanes=("iou",), panoptic=False)
        if options.nms is not None:  # what a graph suppresses is gone for every score
            rules = replace(rules, confidence=options.nms.conf, nms_iou=options.nms.iou)
        ids = {class_id: str(class_id) for class_id in network.names}  # names need not be different
        # With the suppression of its decisions the network agrees with itself to the last box.
        own = replace(rules, nms_iou=self._decided.iou, max_det=self._decided.max_det)
        self._against_network = Scorer(own, ids, ids)
        self._against_labels = Scorer(rules, network.names, frames.names or {})
        self._looks = [self._look(network, sample) for sample in frames.samples]
        self._decisions = [self._decide(*pair) for pair in zip(frames.samples, self._looks, strict=True)]
        self._network_scores = self._score(self._against_labels, frames.samples, self._looks)

    def compare(self, export: Runtime) -> Parity:
        """Lets an export, in its own engine, look at the same frames."""
        looks = [self._look(export, sample) for sample in self.frames.samples]
        pairs = [_differences(a[0], b[0]) for a, b in zip(self._looks, looks, strict=True)]
        return Parity(
            frames=len(looks),
            source=self.frames.source,
            differences={
                name: float((np.max if name in ("boxes", "scores") else np.mean)([pair[name] for pair in pairs]))
                for name in pairs[0]
            },
            agreement=self._score(self._against_network, self._decisions, looks) | self._mask_agreement(looks),
            network=self._network_scores,
            export=self._score(self._against_labels, self.frames.samples, looks),
        )

    def _look(self, runtime: Runtime, sample: Sample) -> Look:
        return Predictor(runtime, self._size).look([sample.image], self._fit)[0]

    def _decide(self, sample: Sample, look: Look) -> Sample:
        """The frame with what the network decides as its labels."""
        candidates, row, letterbox = look
        decided = Sample(sample.image, source=sample.source)
        if candidates.boxes.shape[1]:
            sure = replace(self._decided, conf=min(self._decided.conf + SURE, 1.0))
            vehicles = to_vehicles(candidates.boxes[row], candidates.scores[row], letterbox, sure)
            decided.boxes, decided.class_ids = vehicles.xyxy, vehicles.class_id
        if candidates.drivable is not None:
            decided.drivable = letterbox.mask_to_frame(candidates.drivable[row]).astype(np.uint8)
        if candidates.lanes is not None:
            decided.lanes = letterbox.mask_to_frame(candidates.lanes[row]).astype(np.uint8)
        return decided

    def _mask_agreement(self, looks: Sequence[Look]) -> dict[str, float]:
        """Mean IoU of the instance masks of vehicles that both see; empty where there are none."""
        overlaps: list[float] = []
        for sample, *pair in zip(self.frames.samples, looks, self._looks, strict=True):
            seen, meant = (self._vehicles(sample, look) for look in pair)
            if seen.instances is None or meant.instances is None:
                continue
            for i, j, _ in pair_boxes(seen.xyxy, seen.class_id, meant.xyxy, meant.class_id):
                overlaps.append(seen.instances.iou(i, meant.instances.pick([j]).whole()[0]))
        return {"mask_iou": float(np.mean(overlaps))} if overlaps else {}

    def _vehicles(self, sample: Sample, look: Look) -> Vehicles:
        names = dict(self._against_network.names)
        return to_scene(*look, self._decided, names, Frame(sample.image, sample.source)).vehicles

    def _score(self, scorer: Scorer, samples: Sequence[Sample], looks: Sequence[Look]) -> dict[str, float]:
        pairs = enumerate(zip(samples, looks, strict=True))
        records: list[FrameRecord] = [scorer(index, sample, look) for index, (sample, look) in pairs]
        metrics = summarize(records, scorer.protocol, scorer.names).metrics
        return {name: metrics[name] for name in SCORES if name in metrics}


def _differences(meant: Candidates, seen: Candidates) -> dict[str, float]:
    """How far the outputs for one canvas are apart, by name; what differs in shape was suppressed and is left out."""
    found: dict[str, float] = {}
    outputs: Mapping[str, NDArray[Any] | None] = vars(meant)
    for name, value in outputs.items():
        other = getattr(seen, name)
        if value is None or not value.size or other.shape != value.shape:
            continue
        apart = np.abs(other.astype(np.float64) - value)
        if name == "boxes":
            found[name] = float(apart[meant.scores.max(-1) >= LIKELY].max(initial=0))
        elif name == "scores":
            found[name] = float(apart.max())
        else:
            size = 255.0 if value.dtype == np.uint8 else float(np.abs(value).mean()) or 1.0
            found[name] = float(apart.mean()) / size
    return found
