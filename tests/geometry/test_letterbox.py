import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.errors import YolopError
from yolopv2.geometry.letterbox import PADDING, Letterbox

sides = st.one_of(st.integers(1, 64), st.integers(1, 12_000))
sizes = st.integers(1, 40).map(lambda n: 32 * n)


@given(sides, sides, sizes)
def test_any_frame_fits_a_canvas_the_network_accepts(height, width, size):
    box = Letterbox.fit(height, width, size)
    assert max(box.canvas_height, box.canvas_width) == size
    assert box.canvas_height % 32 == box.canvas_width % 32 == 0
    assert max(box.scaled_height, box.scaled_width) == size
    assert box.canvas_height - box.scaled_height < 32
    assert box.canvas_width - box.scaled_width < 32
    assert abs(box.canvas_height - box.scaled_height - 2 * box.top) <= 1
    assert abs(box.canvas_width - box.scaled_width - 2 * box.left) <= 1


@given(sides, sides, sizes, st.tuples(*[st.floats(0, 1)] * 4))
def test_boxes_come_back_within_half_a_pixel(height, width, size, corners):
    box = Letterbox.fit(height, width, size)
    boxes = np.array([corners], np.float32) * np.array([width, height, width, height], np.float32)
    on_canvas = box.boxes_to_canvas(boxes)
    assert (on_canvas >= 0).all()
    assert (on_canvas <= [box.canvas_width, box.canvas_height] * 2).all()
    np.testing.assert_allclose(box.boxes_to_frame(on_canvas), boxes, atol=0.5)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 5000), (5000, 1), (9000, 12_000), (720, 1280), (3, 2)])
def test_the_whole_frame_is_the_whole_scaled_area(height, width):
    box = Letterbox.fit(height, width)
    whole = box.boxes_to_canvas(np.array([[0, 0, width, height]]))
    expected = [box.left, box.top, box.left + box.scaled_width, box.top + box.scaled_height]
    assert whole.tolist() == [expected]


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 300), st.integers(1, 300))
def test_into_a_given_canvas_keeps_the_proportions(height, width, canvas_height, canvas_width):
    box = Letterbox.into(height, width, canvas_height, canvas_width)
    assert box.scaled_width == canvas_width or box.scaled_height == canvas_height
    assert box.scaled_width <= canvas_width
    assert box.scaled_height <= canvas_height
    in_proportion = (max(1, height * canvas_width / width), max(1, width * canvas_height / height))
    by_width, by_height = np.abs(np.array(in_proportion) - (box.scaled_height, box.scaled_width)) <= 0.5
    assert by_width or by_height


@pytest.mark.parametrize("size", [0, -32, 1, 300, 650])
def test_a_size_off_the_grid_names_the_ones_beside_it(size):
    with pytest.raises(YolopError, match="take"):
        Letterbox.fit(720, 1280, size)


def test_a_frame_without_pixels_is_refused():
    with pytest.raises(YolopError, match="nothing to look at"):
        Letterbox.fit(0, 1280)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 500), (500, 1), (90, 160), (720, 1280), (1200, 1600)])
def test_the_canvas_is_grey_around_the_frame_and_the_frame_inside(height, width):
    box = Letterbox.fit(height, width, 160)
    canvas = box.apply(np.full((height, width, 3), 200, np.uint8))
    assert canvas.shape == (box.canvas_height, box.canvas_width, 3)
    inside = np.zeros(canvas.shape[:2], bool)
    inside[box.top : box.top + box.scaled_height, box.left : box.left + box.scaled_width] = True
    assert (canvas[inside] == 200).all()
    assert (canvas[~inside] == PADDING).all()


def test_apply_writes_into_the_slot_it_is_given():
    batch = np.zeros((2, 96, 160, 3), np.uint8)
    image = np.random.default_rng(0).integers(0, 255, (90, 160, 3), dtype=np.uint8)
    returned = Letterbox.fit(90, 160, 160).apply(image, out=batch[1])
    assert np.shares_memory(returned, batch)
    np.testing.assert_array_equal(batch[1, 3:93], image)
    assert not batch[0].any()


def test_strong_shrinking_averages_instead_of_skipping():
    stripes = np.zeros((640, 640, 3), np.uint8)
    stripes[:, ::5] = 250
    canvas = Letterbox.fit(640, 640, 128).apply(stripes)
    np.testing.assert_allclose(canvas, 50, atol=1)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_thin_labels_survive_shrinking(height, width, seed):
    mask = (np.random.default_rng(seed).random((height, width)) < 0.02).astype(np.uint8)
    box = Letterbox.fit(height, width, 32)
    canvas = box.apply_mask(mask, thin=True)
    assert set(np.unique(canvas)) <= {0, 1}
    y, x = np.nonzero(mask)
    rows = box.top + np.minimum((y + 0.5) * box.scaled_height / height, box.scaled_height - 1).astype(int)
    columns = box.left + np.minimum((x + 0.5) * box.scaled_width / width, box.scaled_width - 1).astype(int)
    touched = np.pad(canvas, 1)  # whole-pixel cells may round by one
    around = [touched[rows + dy, columns + dx] for dy in (0, 1, 2) for dx in (0, 1, 2)]
    assert np.logical_or.reduce(around).all() if len(y) else not canvas.any()


def test_shrunk_labels_prefer_marked_over_background_over_ignored():
    mask = np.full((64, 64), 255, np.uint8)
    mask[:, 2:6] = 0
    mask[:, 5] = 1
    canvas = Letterbox.fit(64, 64, 32).apply_mask(mask, thin=True)
    assert canvas[0, :4].tolist() == [255, 0, 1, 255]


def test_masks_keep_their_labels_and_get_the_padding_asked_for():
    mask = np.random.default_rng(1).choice(np.array([0, 1, 255], np.uint8), (360, 640))
    canvas = Letterbox.fit(360, 640, 320).apply_mask(mask, padding=255)
    assert set(np.unique(canvas)) <= {0, 1, 255}
    assert (canvas[:6] == 255).all()
    assert Letterbox.fit(4, 4, 32).apply_mask(np.ones((4, 4), bool)).all()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 700), (333, 90), (720, 1280)])
def test_masks_come_back_in_the_frames_own_pixels(height, width):
    box = Letterbox.fit(height, width, 320)
    for value in (0, 255):
        probability = np.full((box.canvas_height, box.canvas_width), 255 - value, np.uint8)
        probability[box.top : box.top + box.scaled_height, box.left : box.left + box.scaled_width] = value
        mask = box.mask_to_frame(probability)
        assert mask.shape == (height, width)
        assert mask.dtype == bool
        assert (mask == bool(value)).all()


def test_a_mask_edge_comes_back_within_a_pixel():
    box = Letterbox.fit(720, 1280)
    probability = np.zeros((384, 640), np.uint8)
    probability[:, 200:] = 255
    columns = np.flatnonzero(box.mask_to_frame(probability)[300])
    assert abs(int(columns[0]) - 400) <= 1


def test_the_threshold_is_a_probability():
    box = Letterbox.into(4, 4, 4, 4)
    probability = np.array([[0, 63, 64, 127], [128, 191, 192, 255], [0, 0, 0, 0], [0, 0, 0, 0]], np.uint8)
    for threshold in (0.25, 0.5, 0.75):
        np.testing.assert_array_equal(box.mask_to_frame(probability, threshold), probability / 255 > threshold)


def test_pixels_of_another_size_are_refused():
    with pytest.raises(ValueError, match="expected 720x1280"):
        Letterbox.fit(720, 1280).apply(np.zeros((4, 4, 3), np.uint8))


def test_stretch_fills_a_square_and_leads_back():
    square = Letterbox.stretch(720, 1280, 640)
    assert square.boxes_to_canvas(np.array([[0, 0, 1280, 720]])).tolist() == [[0, 0, 640, 640]]
    box = np.array([[100, 50, 300, 90]], np.float32)
    assert square.boxes_to_frame(square.boxes_to_canvas(box)).tolist() == box.tolist()
    assert square.apply(np.full((720, 1280, 3), 7, np.uint8)).min() == 7  # no padding anywhere
    assert square.mask_to_frame(np.full((640, 640), 255, np.uint8)).shape == (720, 1280)
    with pytest.raises(YolopError, match="nothing to look at"):
        Letterbox.stretch(0, 5)
