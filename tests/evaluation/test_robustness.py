import numpy as np
import pytest

from yolopv2.data.dataset import open_dataset
from yolopv2.data.synthetic import write_dataset
from yolopv2.errors import YolopError
from yolopv2.evaluation.corruptions import CORRUPTIONS, corrupt
from yolopv2.evaluation.evaluate import evaluate
from yolopv2.evaluation.robustness import (
    CorruptedDataset,
    corruption_names,
    mean_over_corruptions,
    mean_over_severities,
    measure_robustness,
    robustness_steps,
)


def test_names_are_read_once_each_and_unknown_ones_are_told() -> None:
    assert corruption_names("all") == tuple(CORRUPTIONS)
    assert corruption_names("rain,fog, rain") == ("rain", "fog")
    for wrong in ("", "mud", "fog,,rain"):
        with pytest.raises(YolopError, match="no corruption is called"):
            corruption_names(wrong)


def test_only_the_picture_is_corrupted_and_each_frame_differently(listed, street) -> None:
    dataset = listed([street(0), street(0), "cannot be read"])
    corrupted = CorruptedDataset(dataset, "gaussian_noise", 2)
    first, second = corrupted[0], corrupted[1]
    assert len(corrupted) == 3
    assert corrupted.names == dataset.names
    assert np.array_equal(first.image, corrupt(dataset[0].image, "gaussian_noise", 2, seed=0))
    assert not np.array_equal(first.image, second.image)
    assert first.boxes is dataset[0].boxes
    assert first.drivable is dataset[0].drivable
    with pytest.raises(YolopError, match="cannot be read"):
        corrupted[2]


def test_what_is_painted_over_is_lost(painted, listed, street) -> None:
    """The network of this test sees colours; contrast and brightness take them away, boxes it sees blindly."""
    dataset, predictor = listed([*(street(seed) for seed in range(5)), "cannot be read"]), painted()
    measured = evaluate(predictor, dataset)
    steps = []
    found = measure_robustness(measured, predictor, dataset, ["contrast", "jpeg"], None, lambda: steps.append(1))
    assert len(steps) == robustness_steps(measured, ["contrast", "jpeg"], None) == 2 * 5 * 5
    assert found["frames"] == 5
    assert found["clean"] == {name: measured.metrics[name] for name in ("ap50", "drivable_iou", "lane_iou")}
    contrast = found["corrupted"]["contrast"]
    assert len(contrast) == 5
    assert contrast[4]["lane_iou"] < 0.5 * found["clean"]["lane_iou"]
    assert all(scores["ap50"] == found["clean"]["ap50"] for scores in contrast)
    means = mean_over_severities(found)
    assert means["contrast"]["lane_iou"] == pytest.approx(np.mean([scores["lane_iou"] for scores in contrast]))
    overall = mean_over_corruptions(found)["lane_iou"]
    assert overall == pytest.approx((means["contrast"]["lane_iou"] + means["jpeg"]["lane_iou"]) / 2)


def test_fewer_frames_are_spaced_evenly_and_scored_clean_as_well(painted, listed, street) -> None:
    dataset, predictor = listed([street(seed) for seed in range(5)]), painted()
    measured = evaluate(predictor, dataset)
    found = measure_robustness(measured, predictor, dataset, ["fog"], 2)
    ends = evaluate(predictor, listed([dataset[0], dataset[4]]))
    assert found["frames"] == 2
    assert found["clean"]["drivable_iou"] == ends.metrics["drivable_iou"]
    assert robustness_steps(measured, ["fog"], 99) == 25


def test_the_bundled_network_sees_less_in_thick_fog(tmp_path) -> None:
    from yolopv2 import YOLOPv2

    dataset = open_dataset(write_dataset(tmp_path, {"val": 2}, seed=4, height=180, width=320), "val")
    predictor = YOLOPv2("nano", size=320).predictor
    found = measure_robustness(evaluate(predictor, dataset), predictor, dataset, ["fog"])
    assert found["corrupted"]["fog"][4]["drivable_iou"] < found["clean"]["drivable_iou"]
