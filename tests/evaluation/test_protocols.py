import pytest

from yolopv2.errors import YolopError
from yolopv2.evaluation.protocols import PROTOCOLS, protocol


def test_the_published_settings() -> None:
    """What the papers state; the names are a contract."""
    settings = {name: (p.confidence, p.nms_iou, p.max_det, p.average, p.batch) for name, p in PROTOCOLS.items()}
    assert settings == {
        "dataset": (0.001, 0.6, 100, "dataset", 1),
        "yolop": (0.001, 0.6, 300, "batch", 48),
        "yolopv2": (0.001, 0.65, 300, "batch", 32),
        "hybridnets": (0.001, 0.6, 300, "frame", 1),
        "rmt-ppad-8px": (0.001, 0.6, 300, "frame", 1),
        "bdd100k-official": (0.001, 0.6, 100, "frame", 1),
    }


def test_no_protocol_has_a_score_that_is_called_accuracy_alone() -> None:
    names = {name for each in PROTOCOLS.values() for name in (*each.drivable, *each.lanes)}
    assert "accuracy" not in names
    assert {"recall", "balanced_accuracy", "pixel_accuracy"} <= names


def test_an_unknown_protocol_is_told_with_the_nearest() -> None:
    with pytest.raises(YolopError, match=r"'yolpo', perhaps 'yolop' is meant; there are: dataset, yolop"):
        protocol("yolpo")
