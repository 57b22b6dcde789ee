"""From coefficients and prototypes to masks in the frame, against whole-frame arithmetic."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yolopv2.geometry.letterbox import Letterbox
from yolopv2.inference.candidates import Candidates
from yolopv2.inference.masks import assemble_masks
from yolopv2.inference.postprocess import Thresholds, to_scene
from yolopv2.media import Frame


def smooth_prototypes(letterbox: Letterbox, seed: int = 0) -> np.ndarray:
    size = (letterbox.canvas_height // 4, letterbox.canvas_width // 4, 16)
    noise = np.random.default_rng(seed).normal(size=size).astype(np.float32)
    return np.ascontiguousarray(cv2.GaussianBlur(noise, (0, 0), 3).transpose(2, 0, 1))


def by_whole_frames(boxes, coefficients, prototypes, letterbox):
    """The sigmoid of the sum at the centre of every pixel, bilinear, cut to the box."""
    height, width = letterbox.frame_height, letterbox.frame_width
    x = ((np.arange(width) + 0.5) * letterbox.scaled_width / width + letterbox.left) / 4 - 0.5
    y = ((np.arange(height) + 0.5) * letterbox.scaled_height / height + letterbox.top) / 4 - 0.5
    grid = [axis.astype(np.float32) for axis in np.meshgrid(x, y)]
    masks = np.zeros((len(boxes), height, width))
    for mask, (x1, y1, x2, y2), row in zip(masks, boxes, coefficients, strict=True):
        logits = (row[:, None, None] * prototypes).sum(0)
        probability = 1 / (1 + np.exp(-cv2.remap(logits, *grid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)))
        columns, rows = np.arange(width) + 0.5, np.arange(height) + 0.5
        inside = ((rows >= y1) & (rows < y2))[:, None] & ((columns >= x1) & (columns < x2))
        mask[inside] = probability[inside]
    return masks


@settings(deadline=None, max_examples=10)
@given(st.integers(30, 150), st.integers(30, 150), st.sampled_from(["fit", "into", "stretch"]), st.integers(0, 99))
def test_masks_are_those_of_whole_frames(height, width, how, seed):
    letterbox = {
        "fit": lambda: Letterbox.fit(height, width, size=96),
        "into": lambda: Letterbox.into(height, width, 96, 160),
        "stretch": lambda: Letterbox.stretch(height, width, size=96),
    }[how]()
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 1, (6, 2, 2)) * [width, height]
    boxes = np.concatenate([corners.min(1), corners.max(1)], 1).astype(np.float32)
    coefficients, prototypes = rng.normal(size=(6, 16)).astype(np.float32), smooth_prototypes(letterbox, seed)
    masks = assemble_masks(boxes, coefficients, prototypes, letterbox).whole()
    expected = by_whole_frames(boxes, coefficients, prototypes, letterbox)
    for mask, meant, box in zip(masks, expected, boxes, strict=True):
        x1, y1, x2, y2 = np.ceil(box - 0.5).astype(int)
        away = np.zeros(mask.shape, bool)  # from the box's edge, where a crop repeats what the whole map continues
        margin = int(np.ceil(4 * max(width / letterbox.scaled_width, height / letterbox.scaled_height)))
        away[y1 + margin : max(y2 - margin, 0), x1 + margin : max(x2 - margin, 0)] = True
        decided = away & (abs(meant - 0.5) > 0.02)
        np.testing.assert_array_equal(mask[decided], meant[decided] > 0.5)
        assert not mask[: max(y1, 0)].any()
        assert not mask[max(y2, y1 + 1) :].any()


def test_every_frame_of_a_batch_has_its_own_masks_of_the_boxes_that_stay():
    letterbox = Letterbox.fit(90, 160, size=160)
    frame = Frame(np.zeros((90, 160, 3), np.uint8), "street.jpg")
    boxes = np.array([[10, 10, 50, 50], [12, 10, 52, 50], [80, 20, 120, 80]], np.float32)
    candidates = Candidates(
        boxes=letterbox.boxes_to_canvas(boxes)[None].repeat(2, 0),
        scores=np.array([[[0.5], [0.9], [0.8]]] * 2, np.float32),
        drivable=None,
        lanes=None,
        coefficients=np.array([[[1], [-1], [1]], [[-1], [1], [-1]]], np.float32),
        prototypes=np.ones((2, 1, 24, 40), np.float32),
    )
    first, second = (to_scene(candidates, row, letterbox, Thresholds(), {0: "car"}, frame) for row in (0, 1))
    assert first.vehicles.confidence.tolist() == pytest.approx([0.9, 0.8])
    assert first.vehicles.masks.sum((1, 2)).tolist() == [0, 40 * 60]
    assert second.vehicles.masks.sum((1, 2)).tolist() == [40 * 40, 0]
    assert len(to_scene(candidates, 0, letterbox, Thresholds(conf=1), {}, frame).vehicles.instances) == 0
