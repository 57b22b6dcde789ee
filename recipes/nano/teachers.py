"""Two small published networks that label road and markings where nobody did, and how well they see themselves.

python recipes/nano/teachers.py TEACHERS bdd100k.yaml

prints their scores on the split ``val``, measured as `yolopv2 evaluate` measures ours by the protocol ``dataset``.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from yolopv2.data.dataset import open_dataset
from yolopv2.evaluation.segmentation import MaskCounts
from yolopv2.geometry.letterbox import PADDING

HEIGHT, WIDTH = 360, 640
BAND = 12
"""Rows of padding above and below for the network that takes 640x384."""

Probabilities = tuple[NDArray[np.float32], NDArray[np.float32]]


class Teachers:
    """TwinLiteNet and TwinLiteNet+ small (MIT), on frames of 640x360.

    Args:
        folder: Holds ``twinlitenet_harrylal_best.onnx`` and ``twinlitenetplus_small.onnx``.
    """

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self.plain = onnxruntime.InferenceSession(folder / "twinlitenet_harrylal_best.onnx", options)
        self.plus = onnxruntime.InferenceSession(folder / "twinlitenetplus_small.onnx", options)

    def each(self, image: NDArray[np.uint8]) -> dict[str, Probabilities]:
        """Probability of road and of marking, float32 ``[360, 640]``, by the network's name."""
        x = image.transpose(2, 0, 1)[None].astype(np.float32) / 255
        padded = np.full((1, 3, HEIGHT + 2 * BAND, WIDTH), PADDING / 255, np.float32)
        padded[:, :, BAND:-BAND] = x
        plain = self.plain.run(["da", "ll"], {"images": x})
        plus = [y[:, :, BAND:-BAND] for y in self.plus.run(["da", "ll"], {"images": padded})]
        return {name: (_road(y[0]), _road(y[1])) for name, y in (("TwinLiteNet", plain), ("TwinLiteNet+ small", plus))}

    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The mean probability of both, of 255: road and marking, for one ``[360, 640, 3]`` frame."""
        drivable, lanes = (np.mean(pair, axis=0) * 255 for pair in zip(*self.each(image).values(), strict=True))
        return drivable.astype(np.uint8), lanes.astype(np.uint8)


def _road(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1 / (1 + np.exp(logits[0, 0] - logits[0, 1]))).astype(np.float32)


def main(folder: Path, data: Path) -> None:
    """Prints IoU at the frames' own resolution, of all frames together."""
    teachers, frames = Teachers(folder), open_dataset(data, "val")
    counts: dict[str, list[MaskCounts]] = {}
    for i in range(len(frames)):
        sample = frames[i]
        rows, columns = sample.image.shape[:2]
        small = cv2.resize(sample.image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8)
        for name, seen in teachers.each(small).items():
            tasks = counts.setdefault(name, [MaskCounts(), MaskCounts()])
            for task, (probability, label) in enumerate(zip(seen, (sample.drivable, sample.lanes), strict=True)):
                if label is not None:
                    tasks[task] += MaskCounts.of(cv2.resize(probability, (columns, rows)) > 0.5, label)
    for name, (drivable, lanes) in counts.items():
        print(f"{name}: drivable IoU {drivable.scores()['iou']:.3f}, lane IoU {lanes.scores()['iou']:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
