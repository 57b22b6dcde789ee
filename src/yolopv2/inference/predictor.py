"""The whole way of a frame: read, letterbox, runtime, decide, Scene."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice

from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference.postprocess import Thresholds, to_scene, whole_number
from yolopv2.inference.preprocess import letterbox_batches
from yolopv2.inference.runtimes import Runtime
from yolopv2.inference.video import ahead
from yolopv2.media import Frame
from yolopv2.scene import Scene


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

    def __call__(self, frames: Sequence[Frame], thresholds: Thresholds) -> list[Scene]:
        """What is seen in some frames, of any sizes, looked at together.

        Args:
            frames: As many as fit into memory.
            thresholds: What counts as seen.

        Returns:
            One scene per frame, in their order.
        """
        scenes: dict[int, Scene] = {}
        for batch in letterbox_batches([frame.image for frame in frames], self.size):
            candidates = self.runtime(batch.canvases)
            for row, (position, letterbox) in enumerate(zip(batch.positions, batch.letterboxes, strict=True)):
                frame = frames[position]
                scenes[position] = to_scene(candidates, row, letterbox, thresholds, self.runtime.names, frame)
        return [scenes[position] for position in range(len(frames))]

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
        return ahead(self._look(ahead(frames, depth=batch + 1), thresholds, batch), depth=2)

    def _look(
        self, frames: Iterator[Frame], thresholds: Thresholds, batch: int
    ) -> Generator[tuple[Frame, Scene], None, None]:
        while together := list(islice(frames, batch)):
            yield from zip(together, self(together, thresholds), strict=True)
