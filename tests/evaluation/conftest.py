"""A network that sees what is painted on the frame: red is drivable, green is lane, and one box in the middle."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from yolopv2.data.sample import Sample
from yolopv2.errors import YolopError
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.predictor import Predictor


class PaintedRuntime:
    """Sees the red and green of a canvas as probabilities, and boxes of its own.

    Args:
        boxes: ``x1 y1 x2 y2`` on every canvas.
        names: Its classes.
        heads: Which of ``boxes``, ``drivable``, ``lanes`` it has.
    """

    description = "a runtime for tests"
    streams = 2

    def __init__(
        self,
        boxes: Sequence[Sequence[float]] = ((16, 8, 32, 24),),
        names: dict[int, str] | None = None,
        heads: Sequence[str] = ("boxes", "drivable", "lanes"),
    ) -> None:
        self.names = {0: "vehicle"} if names is None else names
        self.boxes, self.heads = np.array(boxes, np.float32).reshape(-1, 4), heads
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, batch: np.ndarray, alone: bool = True) -> Candidates:
        count = len(batch)
        self.shapes.append(batch.shape)
        outputs: dict[str, np.ndarray] = {}
        if "boxes" in self.heads:
            scores = np.zeros((count, len(self.boxes), len(self.names)), np.float32)
            scores[..., 0] = np.linspace(0.9, 0.4, len(self.boxes))
            outputs = {"boxes": np.repeat(self.boxes[None], count, 0), "scores": scores}
        if "drivable" in self.heads:
            outputs["drivable"] = batch[..., 0].copy()
        if "lanes" in self.heads:
            outputs["lanes"] = batch[..., 1].copy()
        return Candidates.from_outputs(outputs, count)


class ListDataset:
    """Samples in a list; what is a text instead cannot be read."""

    def __init__(self, samples: Sequence[Sample | str], names: dict[int, str] | None = None) -> None:
        self.samples, self.names = samples, {0: "vehicle"} if names is None else names

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        sample = self.samples[index]
        if isinstance(sample, str):
            raise YolopError(sample)
        return sample


@pytest.fixture
def painted() -> Callable[..., Predictor]:
    """Predictors that see what is painted, on canvases of 64 pixels."""
    return lambda **options: Predictor(PaintedRuntime(**options), size=64)


@pytest.fixture
def listed() -> type[ListDataset]:
    return ListDataset


@pytest.fixture
def paint() -> Callable[..., Sample]:
    """A sample of which the network sees the given masks, and its labels."""

    def make(
        road: np.ndarray, lane: np.ndarray, road_label: np.ndarray | None, lane_label: np.ndarray | None, **more: object
    ) -> Sample:
        image = np.zeros((*road.shape, 3), np.uint8)
        image[..., 0], image[..., 1] = road * np.uint8(255), lane * np.uint8(255)
        return Sample(image, drivable=road_label, lanes=lane_label, **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def street(paint: Callable[..., Sample]) -> Callable[..., Sample]:
    """Random blocks as masks and labels of a frame of 32x64, two pixels wide at least, with one labelled box."""

    def make(seed: int, height: int = 32, width: int = 64, **more: object) -> Sample:
        rng = np.random.default_rng(seed)

        def blocks(share: float) -> np.ndarray:
            coarse = rng.random((height // 4, width // 4)) < share
            return np.kron(coarse, np.ones((4, 4), bool))

        road, lane = blocks(0.5), blocks(0.2)
        road_label = (road ^ blocks(0.1)).astype(np.uint8)
        lane_label = (lane ^ blocks(0.1)).astype(np.uint8)
        road_label[rng.random(road_label.shape) < 0.02] = 255
        boxes = np.array([[16, 8, 32, 24 + seed % 3], [40, 2, 60, 20]], np.float32)
        options = {"boxes": boxes, "class_ids": np.zeros(2, np.int64), "source": f"val/{seed:03}", **more}
        return paint(road, lane, road_label, lane_label, **options)

    return make
