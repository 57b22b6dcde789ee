import numpy as np

from yolopv2.training.anchors import cluster_anchors


def test_finds_the_sizes_that_are_there() -> None:
    rng = np.random.default_rng(0)
    sizes = np.array([[8, 6], [20, 10], [30, 40], [60, 30], [80, 90], [150, 70], [200, 220], [400, 150], [500, 400]])
    boxes = (sizes[rng.integers(0, 9, 2000)] * rng.uniform(0.95, 1.05, (2000, 2))).astype(np.float32)
    anchors = cluster_anchors(boxes)
    assert anchors.shape == (3, 3, 2)
    expected = sizes[np.argsort(sizes.prod(1))].reshape(3, 3, 2)
    np.testing.assert_allclose(anchors, expected, rtol=0.05)


def test_few_distinct_sizes_still_give_nine() -> None:
    anchors = cluster_anchors(np.full((20, 2), 16, np.float32))
    np.testing.assert_allclose(anchors, 16)
