import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yolopv2.data.check import check_dataset
from yolopv2.data.dataset import open_dataset
from yolopv2.data.formats import Packed
from yolopv2.data.packed import PackedFrames, PackedSample, pack_sample, unpack_sample, write_packed
from yolopv2.data.sample import IGNORE, Sample
from yolopv2.data.stats import count_dataset
from yolopv2.errors import YolopError
from yolopv2.geometry.letterbox import PADDING, Letterbox


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


def test_by_area_thin_markings_get_fainter_and_do_not_vanish() -> None:
    lanes = pack_sample(sample(), 36, 64, lanes="area").maps[..., 2]
    assert lanes[:, 5].tolist() == [128] * 36  # one pixel of two
    assert lanes.sum() == 36 * 128


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 20), st.integers(1, 20), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_by_touch_a_pixel_is_marking_that_holds_any_of_one(
    rows: int, columns: int, height: int, width: int, seed: int
) -> None:
    labels = np.random.default_rng(seed).choice(
        np.array([0, 1, IGNORE], np.uint8), (rows, columns), p=[0.9, 0.05, 0.05]
    )
    box = Letterbox.into(rows, columns, height, width)
    packed = pack_sample(Sample(np.zeros((rows, columns, 3), np.uint8), lanes=labels), height, width)
    expected = np.zeros((height, width), np.uint8)
    for y in range(box.scaled_height):
        for x in range(box.scaled_width):
            y1, y2 = y * rows / box.scaled_height, (y + 1) * rows / box.scaled_height
            x1, x2 = x * columns / box.scaled_width, (x + 1) * columns / box.scaled_width
            for v in range(rows):
                for u in range(columns):
                    touches = v < y2 - 1e-9 and v + 1 > y1 + 1e-9 and u < x2 - 1e-9 and u + 1 > x1 + 1e-9
                    if labels[v, u] == 1 and touches:
                        expected[box.top + y, box.left + x] = 255
    if box.scaled_height <= rows and box.scaled_width <= columns:
        np.testing.assert_array_equal(packed.maps[..., 2], expected)
    else:  # what grows takes the nearest pixel, which it touches
        assert (packed.maps[..., 2] <= expected).all()


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


def test_a_frame_of_another_shape_is_laid_on_the_canvas_as_for_the_network() -> None:
    frame = sample(100, 100)
    frame.drivable = np.ones((100, 100), np.uint8)
    packed = pack_sample(frame, 50, 100)
    np.testing.assert_array_equal(packed.image, Letterbox.into(100, 100, 50, 100).apply(frame.image))
    assert packed.image[0, 0].tolist() == [PADDING] * 3
    inside = np.zeros((50, 100), bool)
    inside[:, 25:75] = True
    assert (packed.maps[inside][:, :2] == 255).all()
    assert not packed.maps[~inside][:, [0, 2]].any()  # the padding is known to be neither road nor marking
    assert (packed.maps[~inside][:, [1, 3]] == 255).all()
    assert packed.boxes is not None
    assert packed.boxes.tolist() == [[3, 29, 4, 41, 12]]
    bare = pack_sample(Sample(frame.image), 50, 100)
    assert not bare.maps.any()  # a missing label says nothing, of the padding neither
    assert bare.boxes is None


def test_a_packed_frame_is_a_sample_again() -> None:
    frame = sample()
    back = unpack_sample(pack_sample(frame, 72, 128), "a")
    np.testing.assert_array_equal(back.image, frame.image)
    np.testing.assert_array_equal(back.lanes, frame.lanes)
    np.testing.assert_array_equal(back.boxes, frame.boxes)
    np.testing.assert_array_equal(back.class_ids, frame.class_ids)
    assert back.drivable is None
    assert back.source == "a"


def test_soft_labels_are_decided_at_one_half() -> None:
    maps = np.zeros((2, 2, 4), np.uint8)
    maps[0, :, 0] = 127, 128
    maps[0, :, 1] = 1
    back = unpack_sample(PackedSample(np.zeros((2, 2, 3), np.uint8), maps, None))
    assert back.drivable is not None
    assert back.drivable.tolist() == [[0, 1], [IGNORE, IGNORE]]
    assert back.lanes is back.boxes is None


def written(folder: Path, count: int = 2) -> Path:
    write_packed(folder, [pack_sample(sample(), 36, 64)] * count, count)
    return folder


def test_packed_frames_are_a_format(tmp_path: Path) -> None:
    written(tmp_path / "train")
    (tmp_path / "data.yaml").write_text("format: packed\nsplits: {train: train}\nclasses: [a, b, c, d]\n")
    dataset = open_dataset(tmp_path, "train")
    assert isinstance(dataset, Packed)
    np.testing.assert_array_equal(dataset.packed(1).maps, pack_sample(sample(), 36, 64).maps)
    assert dataset[1].source == "train/000001"
    assert check_dataset(dataset) == []
    assert count_dataset(dataset).boxes["d"]["small"] == 2


@pytest.mark.parametrize(
    ("classes", "said"), [("[a, b]", "class 3, the classes are"), ("{a: [3]}", "list their names")]
)
def test_classes_of_packed_frames_are_all_named(tmp_path: Path, classes: str, said: str) -> None:
    written(tmp_path / "train")
    (tmp_path / "data.yaml").write_text(f"format: packed\nsplits: {{train: train}}\nclasses: {classes}\n")
    with pytest.raises(YolopError, match=said):
        open_dataset(tmp_path, "train")


@pytest.mark.parametrize("name", ["images.npy", "maps.npy", "boxes.npz"])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_files_cut_short_are_refused(tmp_path: Path, name: str, share: float) -> None:
    path = written(tmp_path / "p") / name
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(YolopError, match="not a complete folder"):
        PackedFrames(tmp_path / "p")


@pytest.mark.parametrize("name", ["images.npy", "maps.npy", "boxes.npz"])
def test_pickles_are_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "p") / name
    objects = np.array([{"code": print}], object)
    if name.endswith("z"):
        np.savez(path, **{"0": objects})
    else:
        np.save(path, objects)
    with pytest.raises(YolopError, match="not a complete folder"):
        PackedFrames(tmp_path / "p")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("images.npy", np.zeros((2, 36, 64, 4), np.uint8)),
        ("images.npy", np.zeros((1, 36, 64, 3), np.uint8)),
        ("images.npy", np.zeros((2, 36, 64, 3), np.float32)),
        ("maps.npy", np.zeros((2, 36, 63, 4), np.uint8)),
        ("boxes.npz", {"0": np.zeros((1, 4), np.float32)}),
        ("boxes.npz", {"0": np.full((1, 5), np.nan, np.float32)}),
        ("boxes.npz", {"2": np.zeros((1, 5), np.float32)}),
        ("boxes.npz", {"first": np.zeros((1, 5), np.float32)}),
    ],
)
def test_arrays_that_are_no_frames_are_refused(tmp_path: Path, name: str, content: Any) -> None:
    path = written(tmp_path / "p") / name
    if isinstance(content, dict):
        np.savez(path, **content)
    else:
        np.save(path, content)
    with pytest.raises(YolopError, match="not a complete folder"):
        PackedFrames(tmp_path / "p")


@given(st.integers(0, 10**9), st.binary(min_size=1, max_size=8))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_boxes_are_read_or_refused(tmp_path: Path, place: int, change: bytes) -> None:
    path = written(tmp_path / "p") / "boxes.npz"
    if not (tmp_path / "whole").exists():
        (tmp_path / "whole").write_bytes(path.read_bytes())
    whole = (tmp_path / "whole").read_bytes()
    place %= len(whole)
    path.write_bytes(whole[:place] + change + whole[place + len(change) :])
    with contextlib.suppress(YolopError):
        PackedFrames(tmp_path / "p")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_samples_is_refused_and_leaves_no_whole_folder(tmp_path: Path, count: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        write_packed(tmp_path / "p", [pack_sample(sample(), 36, 64)] * 2, count)
    with pytest.raises(YolopError, match="not a complete folder"):
        PackedFrames(tmp_path / "p")


def test_samples_of_two_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected 2 samples of"):
        write_packed(tmp_path / "p", [pack_sample(sample(), 36, 64), pack_sample(sample(), 72, 128)], 2)


def test_a_complete_folder_stays_as_it_is(tmp_path: Path) -> None:
    before = (written(tmp_path / "p") / "images.npy").stat().st_mtime_ns
    write_packed(tmp_path / "p", [], 7)
    assert (tmp_path / "p/images.npy").stat().st_mtime_ns == before


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
