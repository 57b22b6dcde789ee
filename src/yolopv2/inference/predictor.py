"""The whole way of a frame: read, letterbox, runtime, decide, Scene."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.postprocess import Thresholds, to_scene, whole_number
from yolopv2.inference.preprocess import Fit, letterbox_batches
from yolopv2.inference.runtimes import Runtime
from yolopv2.inference.video import ahead, in_parallel
from yolopv2.media import Frame
from yolopv2.scene import Scene

Look = tuple[Candidates, int, Letterbox]
"""Candidates of a batch, the row of one frame among them, and where that frame lies on its canvas."""


class Predictor:
    """Looks at frames.

    Args:
        runtime: The engine, with a network in it.
        size: Long side of the canvas the network sees, in pixels, a multiple of 32.

    Raises:
        YolopError: No network takes this size.
    """

    def __init__(self, runtime: Runtime, size: int = 640) -> None:
        Letterbox.fit(1, 1, whole_number("size", size))
        self.runtime, self.size = runtime, size

    def __call__(self, frames: Sequence[Frame], thresholds: Thresholds, alone: bool = True) -> list[Scene]:
        """What is seen in some frames, of any sizes, looked at together.

        Args:
            frames: As many as fit into memory.
            thresholds: What counts as seen.
            alone: As for `look`.

        Returns:
            One scene per frame, in their order.
        """
        looks = self.look([frame.image for frame in frames], alone=alone)
        names = self.runtime.names
        return [to_scene(*look, thresholds, names, frame) for look, frame in zip(looks, frames, strict=True)]

    def look(self, images: Sequence[NDArray[np.uint8]], fit: Fit = Letterbox.fit, alone: bool = True) -> list[Look]:
        """What the network gives for some frames, before anything is decided.

        Args:
            images: uint8 ``[H, W, 3]`` RGB each.
            fit: How a frame is laid on its canvas.
            alone: Whether no other frames are looked at meanwhile, in other threads; the results are the same.

        Returns:
            For each frame the candidates of its batch, its row among them, and where it lies on the canvas.
        """
        looks: dict[int, Look] = {}
        for batch in letterbox_batches(images, self.size, fit):
            candidates = self.runtime(batch.canvases, alone)
            for row, (position, letterbox) in enumerate(zip(batch.positions, batch.letterboxes, strict=True)):
                looks[position] = (candidates, row, letterbox)
        return [looks[position] for position in range(len(images))]

    def stream(
        self, frames: Iterable[Frame], thresholds: Thresholds, batch: int = 1
    ) -> Generator[tuple[Frame, Scene], None, None]:
        """What is seen in frames as they come; reading and looking overlap.

        Args:
            frames: Any number of frames, such as an open `yolopv2.media.Source`; few are held at a time.
            thresholds: What counts as seen.
            batch: Frames that are looked at together.

        Returns:
            A generator of each frame with its scene, in order. Closing it ends the reading.

        Raises:
            YolopError: ``batch`` is no number of frames. What reading raises is raised by the generator.
        """
        whole_number("batch", batch)
        return self._stream(frames, thresholds, batch)

    def _stream(
        self, frames: Iterable[Frame], thresholds: Thresholds, batch: int
    ) -> Generator[tuple[Frame, Scene], None, None]:
        streams = self.runtime.streams

        def look(together: list[Frame]) -> list[tuple[Frame, Scene]]:
            return list(zip(together, self(together, thresholds, alone=streams == 1), strict=True))

        batches = _batches(ahead(frames, depth=batch + 1), batch)
        with closing(in_parallel(look, batches, streams)) as looked:
            for together in looked:
                yield from together


def _batches(frames: Generator[Frame, None, None], size: int) -> Generator[list[Frame], None, None]:
    with closing(frames):
        while together := list(islice(frames, size)):
            yield together
