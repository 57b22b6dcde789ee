import numpy as np

from yolopv2.network import COCO_ANCHORS
from yolopv2.training.anchors import anchor_recall, choose_anchors, cluster_anchors


def test_clusters_are_found_and_ordered() -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[8, 6], [14, 12], [20, 18], [34, 28], [50, 50], [80, 60], [120, 90], [180, 160], [300, 220]])
    sizes = np.concatenate([c * np.exp(rng.normal(0, 0.03, (200, 2))) for c in centres]).astype(np.float32)
    anchors = cluster_anchors(sizes)
    assert anchors.shape == (3, 3, 2)
    assert (np.diff(anchors.prod(-1).flatten()) > 0).all()
    np.testing.assert_allclose(anchors.reshape(-1, 2), centres, rtol=0.05)


def test_anchors_that_fit_are_kept() -> None:
    sizes = np.array(COCO_ANCHORS, np.float32).reshape(-1, 2) * 1.3
    chosen, remark = choose_anchors(sizes, COCO_ANCHORS)
    assert chosen is COCO_ANCHORS
    assert "kept" in remark


def test_anchors_that_do_not_fit_are_clustered() -> None:
    rng = np.random.default_rng(0)
    sizes = np.exp(rng.uniform(np.log(3), np.log(12), (500, 2))).astype(np.float32)
    chosen, remark = choose_anchors(sizes, COCO_ANCHORS)
    assert anchor_recall(sizes, np.array(COCO_ANCHORS, np.float32)) < 0.98
    assert anchor_recall(sizes, np.array(chosen, np.float32)) > 0.98
    assert "clustered from 500 boxes" in remark


def test_few_or_no_boxes_keep_what_is_given() -> None:
    for sizes in (np.zeros((0, 2)), np.full((40, 2), 3.0)):
        assert choose_anchors(sizes.astype(np.float32), COCO_ANCHORS)[0] is COCO_ANCHORS
