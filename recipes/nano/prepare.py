"""Packs the frames from which the bundled nano learns, with teachers' masks where nobody labelled any.

    python recipes/nano/prepare.py DATA PACKED

DATA holds the folders ``bdd100k``, ``bdd100k_restored``, ``bdd100k_unlabelled`` and ``teachers``; PACKED is written.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from yolopv2.data.formats.bdd100k import BDD100K
from yolopv2.data.packed import MAPS, PackedSample, pack_sample, write_packed
from yolopv2.data.sample import Sample
from yolopv2.data.synthetic import render_scene

HEIGHT, WIDTH = 360, 640
GENERATED = 800
TEACHER_TRUST = 200
"""Weight of a teacher's pixel, of 255."""


class Teachers:
    """The mean probability of two small published networks, on 640x360 frames."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self.plain = onnxruntime.InferenceSession(folder / "twinlitenet_harrylal_best.onnx", options)
        self.plus = onnxruntime.InferenceSession(folder / "twinlitenetplus_small.onnx", options)

    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Drivable and lane probability, uint8 of 255, for one ``[360, 640, 3]`` frame."""
        x = image.transpose(2, 0, 1)[None].astype(np.float32) / 255
        padded = np.full((1, 3, 384, 640), 114 / 255, np.float32)
        padded[:, :, 12:372] = x
        first = self.plain.run(["da", "ll"], {"images": x})
        second = [y[:, :, 12:372] for y in self.plus.run(["da", "ll"], {"images": padded})]
        means = [(_probability(a) + _probability(b)) / 2 for a, b in zip(first, second, strict=True)]
        return (means[0] * 255).astype(np.uint8), (means[1] * 255).astype(np.uint8)


def _probability(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return 1 / (1 + np.exp(logits[0, 0] - logits[0, 1]))


def fill(sample: PackedSample, teachers: Teachers) -> PackedSample:
    """Puts the teachers' masks where a frame has none of its own."""
    guesses = dict(zip(("drivable", "lanes"), teachers(sample.image), strict=True))
    for name, guess in guesses.items():
        channel = MAPS.index(name)
        if not sample.maps[..., channel + 1].any():
            sample.maps[..., channel] = guess
            sample.maps[..., channel + 1] = TEACHER_TRUST
    return sample


def labelled(root: Path, split: str, teachers: Teachers) -> Iterator[PackedSample]:
    """BDD100K's own labels first, teachers for the rest."""
    frames = BDD100K(root, split)
    for i in range(len(frames)):
        yield fill(pack_sample(frames[i], HEIGHT, WIDTH, lanes="area"), teachers)


def masks_only(images: list[Path], drivable: Path | None, teachers: Teachers) -> Iterator[PackedSample]:
    """Frames without usable boxes."""
    for path in images:
        image = np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])
        mask = None
        if drivable is not None:
            mask = (cv2.imread(str(drivable / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE) > 0).astype(np.uint8)
            mask = cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_NEAREST).astype(np.uint8)
        yield fill(pack_sample(Sample(image.astype(np.uint8), drivable=mask), HEIGHT, WIDTH, lanes="area"), teachers)


def main(data: Path, packed: Path) -> None:
    """Packs everything that is not packed yet."""
    teachers = Teachers(data / "teachers")
    train = BDD100K(data / "bdd100k", "train")
    write_packed(packed / "bdd100k", labelled(data / "bdd100k", "train", teachers), len(train))
    restored = sorted((data / "bdd100k_restored/images").glob("*"))
    drivable = data / "bdd100k_restored/drivable"
    write_packed(packed / "restored", masks_only(restored, drivable, teachers), len(restored))
    unlabelled = sorted((data / "bdd100k_unlabelled").glob("*.jpg"))
    write_packed(packed / "unlabelled", masks_only(unlabelled, None, teachers), len(unlabelled))
    scenes = (pack_sample(render_scene(seed, HEIGHT, WIDTH), HEIGHT, WIDTH, lanes="area") for seed in range(GENERATED))
    write_packed(packed / "synthetic", scenes, GENERATED)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
