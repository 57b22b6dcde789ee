"""Packs the frames from which the bundled nano learns, with teachers' masks mixed in.

    python recipes/nano/prepare.py DATA PACKED

DATA holds the folders that README.md lists. PACKED gets a folder of packed frames for each of them, and ``nano.yaml``,
which mixes them for ``yolopv2 train``. What is packed already stays.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import yaml
from teachers import HEIGHT, WIDTH, Teachers

from yolopv2.data.formats.bdd100k import BDD100K
from yolopv2.data.packed import MAPS, PackedSample, pack_sample, write_packed
from yolopv2.data.sample import Sample
from yolopv2.data.synthetic import render_scene
from yolopv2.files import write_text_atomic
from yolopv2.media import open_source, read_image

SHARES = {"bdd100k": 0.68, "restored": 0.17, "unlabelled": 0.03, "elsewhere": 0.05, "synthetic": 0.07}
GENERATED = 800
VIDEO_STEP = 5
"""Of a clip every fifth frame: its neighbours show the same."""
TEACHER_TRUST = 200
"""Weight of a teacher's pixel where nobody labelled, of 255."""


def taught(sample: Sample, teachers: Teachers) -> PackedSample:
    """Packs a frame: the teachers' masks where it has none, the mean of both where its drivable area is labelled.

    Labelled drivable areas end where their annotator decided that they do; the teachers, who saw seventy thousand of
    them, know where most would.
    """
    packed = pack_sample(sample, HEIGHT, WIDTH, lanes="area")
    for name, guess in zip(("drivable", "lanes"), teachers(packed.image), strict=True):
        target, weight = (packed.maps[..., MAPS.index(name) + i] for i in range(2))
        if not weight.any():
            target[:], weight[:] = guess, TEACHER_TRUST
        elif name == "drivable":
            target[:] = (target.astype(np.uint16) + guess) // 2
    return packed


def labelled(frames: BDD100K, teachers: Teachers) -> Iterator[PackedSample]:
    """BDD100K's frames with their own labels and the teachers'."""
    for i in range(len(frames)):
        yield taught(frames[i], teachers)


def masks_only(images: list[Path], drivable: Path | None, teachers: Teachers) -> Iterator[PackedSample]:
    """Frames without usable boxes."""
    for path in images:
        image = read_image(path).image
        mask = None
        if drivable is not None:
            mask = (cv2.imread(str(drivable / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE) > 0).astype(np.uint8)
            mask = cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_NEAREST).astype(np.uint8)
        yield taught(Sample(image, drivable=mask), teachers)


def elsewhere(data: Path, teachers: Teachers) -> Iterator[PackedSample]:
    """Other cameras and other countries' roads: CamVid, cut to 16:9 from below its sky, and the clips. Masks alone."""
    for path in sorted((data / "camvid/train").glob("*")):
        image = read_image(path).image
        rows = image.shape[1] * 9 // 16
        top = (image.shape[0] - rows) * 2 // 3
        yield taught(Sample(np.ascontiguousarray(image[top : top + rows])), teachers)
    for clip in sorted((data / "videos").glob("*.mp4")):
        for i, frame in enumerate(open_source(clip)):
            if i % VIDEO_STEP == 0:
                yield taught(Sample(frame.image), teachers)


def write_mix(packed: Path, data: Path) -> None:
    """Writes the YAML of each packed folder, of BDD100K's val split, and of their mix."""
    sources = []
    for name, share in SHARES.items():
        described = {"format": "packed", "root": ".", "splits": {"train": name}, "classes": ["vehicle"]}
        write_text_atomic(packed / f"{name}.yaml", yaml.safe_dump(described, sort_keys=False))
        sources.append({"data": f"{name}.yaml", "share": share})
    val = {
        "format": "bdd100k",
        "root": str((data / "bdd100k").resolve()),
        "splits": {"val": "val"},
        "classes": {"vehicle": ["car", "truck", "bus", "train"]},
    }
    write_text_atomic(packed / "val.yaml", yaml.safe_dump(val, sort_keys=False))
    mix = {"sources": [*sources, {"data": "val.yaml", "share": 1.0}]}
    write_text_atomic(packed / "nano.yaml", yaml.safe_dump(mix, sort_keys=False))


def main(data: Path, packed: Path) -> None:
    """Packs everything that is not packed yet."""
    teachers = Teachers(data / "teachers")
    train = BDD100K(data / "bdd100k", "train")
    write_packed(packed / "bdd100k", labelled(train, teachers), len(train))
    restored = sorted((data / "bdd100k_restored/images").glob("*"))
    drivable = data / "bdd100k_restored/drivable"
    write_packed(packed / "restored", masks_only(restored, drivable, teachers), len(restored))
    unlabelled = sorted((data / "bdd100k_unlabelled").glob("*.jpg"))
    write_packed(packed / "unlabelled", masks_only(unlabelled, None, teachers), len(unlabelled))
    if not (packed / "elsewhere").exists():
        others = list(elsewhere(data, teachers))
        write_packed(packed / "elsewhere", others, len(others))
    scenes = (pack_sample(render_scene(seed, HEIGHT, WIDTH), HEIGHT, WIDTH, lanes="area") for seed in range(GENERATED))
    write_packed(packed / "synthetic", scenes, GENERATED)
    write_mix(packed, data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
