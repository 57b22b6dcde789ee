from pathlib import Path

import numpy as np
import pytest

from yolopv2.data.packed import PackedFrames, pack_sample, write_packed
from yolopv2.data.sample import IGNORE, Sample
from yolopv2.errors import YolopError


def sample(height: int = 72, width: int = 128) -> Sample:
    lanes = np.zeros((height, width), np.uint8)
    lanes[:, 10] = 1
    lanes[:, 64:] = IGNORE
    return Sample(
        np.full((height, width, 3), 200, np.uint8),
        boxes=np.array([[8, 8, 32, 24]], np.float32),
        class_ids=np.array([3], np.int64),
        lanes=lanes,
    )


def test_thin_markings_get_fainter_and_do_not_vanish() -> None:
    packed = pack_sample(sample(), 36, 64)
    lanes = packed.maps[..., 2]
    assert lanes[:, 5].tolist() == [128] * 36  # one pixel of two
    assert lanes.sum() == 36 * 128


def test_unlabelled_pixels_and_missing_masks_have_no_weight() -> None:
    packed = pack_sample(sample(), 36, 64)
    assert not packed.maps[..., 3][:, 32:].any()
    assert (packed.maps[..., 3][:, :32] == 255).all()
    assert not packed.maps[..., :2].any()  # there was no drivable label


def test_boxes_shrink_with_the_frame() -> None:
    packed = pack_sample(sample(), 36, 64)
    assert packed.boxes is not None
    assert packed.boxes.tolist() == [[3, 4, 4, 16, 12]]


def test_a_folder_gives_back_what_went_in(tmp_path: Path) -> None:
    samples = [pack_sample(sample(), 36, 64), pack_sample(Sample(np.zeros((36, 64, 3), np.uint8)), 36, 64)]
    write_packed(tmp_path / "p", samples, 2)
    frames = PackedFrames(tmp_path / "p")
    assert len(frames) == 2
    for written, read in zip(samples, frames, strict=True):
        np.testing.assert_array_equal(written.image, read.image)
        np.testing.assert_array_equal(written.maps, read.maps)
    assert frames[1].boxes is None
    np.testing.assert_array_equal(frames[0].boxes, samples[0].boxes)


def test_an_unfinished_folder_is_refused_and_then_finished(tmp_path: Path) -> None:
    def dies() -> object:
        yield pack_sample(sample(), 36, 64)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_packed(tmp_path / "p", dies(), 2)  # type: ignore[arg-type]
    with pytest.raises(YolopError, match="not a complete folder"):
        PackedFrames(tmp_path / "p")
    write_packed(tmp_path / "p", [pack_sample(sample(), 36, 64)], 1)
    assert len(PackedFrames(tmp_path / "p")) == 1
