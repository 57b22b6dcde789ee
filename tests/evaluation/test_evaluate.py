"""Whole evaluations of a network that sees what is painted on the frames."""

from dataclasses import replace

import numpy as np
import pytest

from yolopv2.errors import YolopError
from yolopv2.evaluation.evaluate import conclude, evaluate, facts_of, lane_width, score_frames, scorer_of
from yolopv2.evaluation.protocols import PROTOCOLS
from yolopv2.evaluation.records import FrameRecord
from yolopv2.geometry.letterbox import Letterbox


def confusion(predicted: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Rows: labelled 0, 1; columns: predicted 0, 1; a loop over pixels."""
    matrix = np.zeros((2, 2))
    for p, t in zip(predicted.ravel().tolist(), label.ravel().tolist(), strict=True):
        if t != 255:
            matrix[t, int(p)] += 1
    return matrix


def iou(matrix: np.ndarray, k: int, empty: float) -> float:
    union = matrix[k].sum() + matrix[:, k].sum() - matrix[k, k]
    return matrix[k, k] / union if union else empty


def test_the_dataset_protocol_is_one_confusion_matrix_over_all(painted, listed, street) -> None:
    samples = [street(seed) for seed in range(7)]
    measured = evaluate(painted(), listed(samples))
    matrix = sum(confusion(s.image[..., 1] > 0, s.lanes) for s in samples)
    assert measured.metrics["lane_iou"] == pytest.approx(iou(matrix, 1, 1))
    assert measured.metrics["lane_miou"] == pytest.approx((iou(matrix, 0, 1) + iou(matrix, 1, 1)) / 2)
    assert measured.metrics["lane_recall"] == pytest.approx(matrix[1, 1] / matrix[1].sum())
    assert measured.metrics["lane_pixel_accuracy"] == pytest.approx(np.trace(matrix) / matrix.sum())
    assert measured.data["frames"] == 7
    assert measured.confusion["lanes"]["tp"] == matrix[1, 1]


def test_the_yolop_protocol_equals_its_description_written_down_slowly(painted, listed, street, monkeypatch) -> None:
    """Frames of 128x72 on a canvas of 64x64: padding cropped, labels by any touch, means over batches by frames."""
    samples = [street(seed, height=72, width=128) for seed in range(7)]
    for sample in samples[4:]:
        sample.lanes[:] = 0
        sample.image[..., 1] = 0  # the last batch has no lanes at all, which YOLOP scores 0
    monkeypatch.setitem(PROTOCOLS, "yolop", replace(PROTOCOLS["yolop"], batch=4))
    measured = evaluate(painted(), listed(samples), "yolop")
    totals = dict.fromkeys(("iou", "miou", "recall"), 0.0)
    for batch in (samples[:4], samples[4:]):
        matrix = np.zeros((2, 2))
        for sample in batch:
            canvas = Letterbox.fit(72, 128, 64).apply(sample.image)
            label = [
                [int((sample.lanes[2 * y : 2 * y + 2, 2 * x : 2 * x + 2] == 1).any()) for x in range(64)]
                for y in range(36)
            ]
            matrix += confusion(canvas[14:50, :, 1] > 127.5, np.array(label))
        totals["iou"] += len(batch) * iou(matrix, 1, 0)
        totals["miou"] += len(batch) * (iou(matrix, 0, 0) + iou(matrix, 1, 0)) / 2
        totals["recall"] += len(batch) * matrix[1, 1] / (matrix[1].sum() + 1e-12)
    assert {name: measured.metrics[f"lane_{name}"] for name in totals} == pytest.approx(
        {name: value / 7 for name, value in totals.items()}
    )
    assert "lane_pixel_accuracy" not in measured.metrics
    assert measured.notes == ("the protocol is defined at size 640, this was measured at 64",)


def test_hybridnets_is_the_mean_of_the_frames_where_empty_is_one(painted, listed, paint) -> None:
    none, all_ = np.zeros((64, 64), bool), np.ones((64, 64), bool)
    half = all_.copy()
    half[:32] = False
    samples = [
        paint(none, none, none.astype(np.uint8), none.astype(np.uint8)),
        paint(all_, none, half.astype(np.uint8), none.astype(np.uint8)),
    ]
    measured = evaluate(painted(), listed(samples), "hybridnets")
    assert measured.metrics["drivable_iou"] == pytest.approx((1 + 0.5) / 2)
    assert measured.metrics["drivable_miou"] == pytest.approx((1 + (0.5 + 0) / 2) / 2)
    assert measured.metrics["drivable_balanced_accuracy"] == pytest.approx((1 + (1 + 0) / 2) / 2)
    assert measured.metrics["lane_iou"] == 1


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_scores_and_carries_its_name(painted, listed, street, name) -> None:
    predictor = painted()
    measured = evaluate(predictor, listed([street(seed) for seed in range(3)]), name)
    assert measured.protocol == name
    assert measured.metrics
    assert all(0 <= value <= 1 for value in measured.metrics.values())
    assert all(low <= measured.metrics[key] + 0.3 and low <= high for key, (low, high) in measured.intervals.items())
    square = {shape[1] == shape[2] for shape in predictor.runtime.shapes}
    assert square == {PROTOCOLS[name].geometry == "stretch"}


def test_shards_in_any_order_give_the_same_to_the_last_digit(painted, listed, street) -> None:
    dataset = listed([street(seed) for seed in range(9)] + ["val/x.png is damaged"])
    for name in PROTOCOLS:
        predictor = painted(boxes=[(16, 8, 32, 24), (15, 8, 32, 24), (0, 0, 9, 9)])
        whole = evaluate(predictor, dataset, name)
        scorer = scorer_of(predictor, dataset, name)
        shards = [
            list(score_frames(predictor, dataset, scorer, indices)) for indices in ([8, 9, 2], [1, 0, 7], [3, 4, 6, 5])
        ]
        merged = conclude([*shards[2], *shards[0], *shards[1]], scorer, facts_of(predictor))
        left, right = whole.to_dict(), merged.to_dict()
        assert left.pop("date")
        assert right.pop("date")
        assert left == right


def test_unreadable_frames_are_named_and_left_out(painted, listed, street) -> None:
    measured = evaluate(painted(), listed([street(0), "val/b.png is damaged", street(2)]))
    assert measured.unreadable == ("val/b.png is damaged",)
    assert measured.data["frames"] == 2
    assert "1 frames could not be read" in measured.notes[0]
    assert [record.index for record in measured.frames] == [0, 2]


def test_what_is_not_labelled_or_not_seen_is_no_zero(painted, listed, street) -> None:
    unlabelled = [street(seed, boxes=None, class_ids=None) for seed in range(2)]
    measured = evaluate(painted(heads=("drivable",)), listed(unlabelled))
    assert all(name.startswith(("drivable", "stuff")) for name in measured.metrics)
    assert set(measured.unavailable) == {"ap", "lanes", "pq"}


def test_nothing_at_all_is_an_error_that_says_why(painted, listed, street) -> None:
    with pytest.raises(YolopError, match="the split is empty"):
        evaluate(painted(), listed([]))
    with pytest.raises(YolopError, match="no frame could be scored: gone"):
        evaluate(painted(), listed(["gone"]))
    sample = street(0, boxes=None, class_ids=None)
    sample.drivable = sample.lanes = None
    with pytest.raises(YolopError, match=r"nothing can be scored by the protocol 'dataset': ap: no box is labelled"):
        evaluate(painted(), listed([sample]))


def test_classes_of_other_names_are_told_not_scored(painted, listed, street) -> None:
    measured = evaluate(painted(), listed([street(0)], names={0: "car"}))
    assert "ap50" not in measured.metrics
    assert "the network sees vehicle, the data labels car" in measured.unavailable["ap"]


def test_the_official_benchmark_needs_its_ten_classes_and_categories(painted, listed, street) -> None:
    measured = evaluate(painted(), listed([street(0)]), "bdd100k-official")
    assert set(measured.metrics) == {"lane_f1_1px", "lane_f1_2px", "lane_f1_5px"}
    assert set(measured.unavailable) == {"ap", "drivable_direct_alternative_miou", "lane_category_f1"}
    names = dict(enumerate(PROTOCOLS["bdd100k-official"].classes or ()))
    everything = evaluate(painted(names=names), listed([street(0)], names=names), "bdd100k-official")
    assert "ap50_95" in everything.metrics
    assert "ap" not in everything.unavailable


@pytest.mark.parametrize("width", [1, 2, 5, 8])
def test_the_width_of_lane_labels_is_measured(listed, paint, width) -> None:
    nothing, lanes = np.zeros((64, 64), bool), np.zeros((64, 64), np.uint8)
    lanes[:, 20 : 20 + width] = 1
    dataset = listed([paint(nothing, nothing, None, lanes), paint(nothing, nothing, None, None), "gone"])
    assert lane_width(dataset) == pytest.approx(width, abs=1)
    assert lane_width(listed([paint(nothing, nothing, None, None)])) is None


def test_true_panoptic_quality_needs_instance_masks_on_both_sides(painted, listed, street, monkeypatch) -> None:
    """A perfect network: its instance masks, road and lanes are the labels."""
    from yolopv2.evaluation import frame as module
    from yolopv2.scene import Scene, Vehicles

    sample = street(1)
    masks = np.zeros((2, 32, 64), bool)
    masks[0, 8:24, 16:32], masks[1, 2:20, 40:60] = True, True
    sample.masks, sample.drivable = masks, (sample.drivable == 1).astype(np.uint8)

    def perfect(*_: object) -> Scene:
        vehicles = Vehicles(sample.boxes, np.array([0.9, 0.8]), np.zeros(2), masks)
        return Scene(vehicles, sample.drivable == 1, sample.lanes == 1, {0: "vehicle"}, 32, 64)

    monkeypatch.setattr(module, "to_scene", perfect)
    measured = evaluate(painted(), listed([sample]))
    assert measured.metrics["pq"] == measured.metrics["pq_vehicle"] == measured.metrics["pq_lane_marking"] == 1
    assert measured.metrics["sq_drivable_area"] == measured.metrics["rq_vehicle"] == measured.metrics["mask_iou"] == 1
    assert measured.metrics["box_pq"] == 1
    assert "pq" not in measured.unavailable
    assert FrameRecord.from_dict(measured.frames[0].to_dict()).mask_ious == (1.0, 1.0)


def test_masks_are_compared_where_boxes_match(painted, listed, street, monkeypatch) -> None:
    """The first vehicle's mask is half of its label's, the second vehicle is not found."""
    from yolopv2.evaluation import frame as module
    from yolopv2.scene import Scene, Vehicles

    sample = street(1)
    sample.masks = np.zeros((2, 32, 64), bool)
    sample.masks[0, 8:24, 16:32], sample.masks[1, 2:20, 40:60] = True, True
    half = sample.masks[:1] & (np.arange(64) < 24)
    sample.drivable = None  # no panoptic map, but masks all the same

    def partly(*_: object) -> Scene:
        return Scene(Vehicles(sample.boxes[:1], [0.9], [0], half), None, None, {0: "vehicle"}, 32, 64)

    monkeypatch.setattr(module, "to_scene", partly)
    measured = evaluate(painted(), listed([sample]))
    assert measured.metrics["mask_iou"] == 0.5
    assert "pq" not in measured.metrics


def test_without_instance_masks_there_is_no_number_called_pq(painted, listed, street) -> None:
    measured = evaluate(painted(), listed([street(0)]))
    assert not {"pq", "sq", "rq"} & set(measured.metrics)
    assert {"box_pq", "stuff_pq"} <= set(measured.metrics)
    assert "instance masks" in measured.unavailable["pq"]


def test_progress_is_told_frame_by_frame(painted, listed, street) -> None:
    told: list[int] = []
    evaluate(painted(), listed([street(0), "gone", street(1)]), progress=lambda: told.append(1))
    assert len(told) == 3
