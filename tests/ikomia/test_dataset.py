"""An Ikomia data set, written as one of ours and learned from."""

import numpy as np
import pytest

from yolopv2.data.dataset import open_dataset, split_names
from yolopv2.errors import YolopError
from yolopv2.ikomia.dataset import logger, write_ikomia_dataset
from yolopv2.ikomia.learn import Stopped, learn
from yolopv2.ikomia.parameters import TrainParameters
from yolopv2.media import write_image

CATEGORIES = {3: "car", 5: "road", 7: "Lane_Marking", 8: "background", 9: "truck"}


@pytest.fixture
def data(folder):
    """Eight frames with a car on a road, in the form of ``IkDatasetIO.data``."""
    rng = np.random.default_rng(0)
    images = []
    for number in range(8):
        picture = rng.integers(0, 60, (96, 160, 3)).astype(np.uint8)
        picture[30:60, 40:80], picture[72:] = (255, 80, 80), (90, 90, 120)
        write_image(folder / f"{number}.png", picture)
        images.append(
            {
                "filename": str(folder / f"{number}.png"),
                "image_id": number,
                "annotations": [
                    {"category_id": 3, "bbox": [40, 30, 40, 30], "segmentation_poly": []},
                    {"category_id": 9, "bbox": [0, 0, 20, 20], "iscrowd": True},
                    {"category_id": 5, "bbox": None, "segmentation_poly": [[0, 72, 159, 72, 159, 95, 0, 95]]},
                ],
            }
        )
    return {"images": images, "metadata": {"category_names": CATEGORIES}}


def samples(path):
    return {
        split: list(map(open_dataset(path, split).__getitem__, range(len(open_dataset(path, split)))))
        for split in split_names(path)
    }


def test_polygons_become_masks_and_all_else_boxes(data, folder):
    written = samples(write_ikomia_dataset(data, folder / "out", 0.75))
    assert {split: len(found) for split, found in written.items()} == {"train": 6, "val": 2}
    for sample in (*written["train"], *written["val"]):
        np.testing.assert_allclose(sample.boxes, [[40, 30, 80, 60]], atol=1e-3)  # a crowd is no box
        assert sample.class_ids.tolist() == [0]
        np.testing.assert_array_equal(np.flatnonzero(sample.drivable.any(axis=1)), np.arange(72, 96))
        assert sample.lanes is None, "no frame has lanes drawn: they are unlabelled, not absent"
    assert open_dataset(folder / "out" / "data.yaml", "train").names == {0: "car", 1: "truck"}


def test_semantic_masks_become_masks(data, folder):
    plane = np.full((96, 160), 8, np.uint8)
    plane[72:], plane[:, 78:82] = 5, 7
    write_image(folder / "plane.png", plane[..., None].repeat(3, axis=2))
    for image in data["images"]:
        image["semantic_seg_masks_file"] = str(folder / "plane.png")
    for found in samples(write_ikomia_dataset(data, folder / "out", 0.5)).values():
        for sample in found:
            np.testing.assert_array_equal(sample.drivable > 0, plane == 5)
            np.testing.assert_array_equal(sample.lanes > 0, plane == 7)


def test_a_broken_frame_is_left_out(data, folder, caplog, monkeypatch):
    (folder / "3.png").write_bytes(b"no picture")
    monkeypatch.setattr(logger, "disabled", False)  # libraries that other tests load configure logging for all
    with caplog.at_level("WARNING", logger.name):
        written = samples(write_ikomia_dataset(data, folder / "out", 1.0))
    assert {split: len(found) for split, found in written.items()} == {"train": 7}
    assert "3.png" in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": []}, "has no images"),
        ({"images": "all"}, "images"),
        ({"images": [{"filename": "gone.png"}]}, "no frame of the training data can be read"),
        ({"metadata": {}}, "metadata.category_names"),
        ({"metadata": {"category_names": {8: "background"}}}, "no category to learn"),
    ],
)
def test_what_is_no_data_set_is_named(data, folder, change, message):
    with pytest.raises(YolopError, match=message):
        write_ikomia_dataset({**data, **change}, folder / "out", 0.5)


QUICK = {"epochs": "2", "batch_size": "4", "train_imgsz": "96", "dataset_split_ratio": "0.5"}


def quick(**params):
    return TrainParameters().updated({**QUICK, **params}, "train_yolop_v2")


def test_learning_tells_of_every_round_and_keeps_the_heads_that_have_labels(data, folder):
    pytest.importorskip("lightning_fabric")
    from yolopv2.checkpoints import load_network

    told = []
    weights = learn(data, quick(), folder / "new", lambda *given: told.append(given), lambda: False)
    assert [epoch for epoch, _ in told] == [1, 2]
    assert all(np.isfinite(list(metrics.values())).all() for _, metrics in told)
    assert {"loss_box", "loss_drivable", "ap50"} <= set(told[0][1])
    network, meta = load_network(weights)
    assert (network.lanes, list(meta.names)) == (None, ["car", "truck"])


def test_learning_stops_when_asked(data, folder):
    pytest.importorskip("lightning_fabric")
    asked = iter([False, True])
    with pytest.raises(Stopped):
        learn(data, quick(epochs=50), folder / "new", lambda *given: None, lambda: next(asked))
    assert (folder / "new" / "run" / "config.yaml").exists()
