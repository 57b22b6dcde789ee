import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from yolopv2.training.assign import MAX_RATIO, match_anchors

ANCHORS = torch.tensor([[10.0, 10.0], [30.0, 20.0], [100.0, 90.0]])


@settings(deadline=None)
@example([(0.5, 0.5, 0.4135515987820254, 1.0)])
@given(st.lists(st.tuples(*[st.floats(0, 1)] * 4), min_size=0, max_size=6))
def test_equals_the_rule_written_as_loops(raw: list[tuple[float, float, float, float]]) -> None:
    stride, height, width = 8, 6, 10
    targets = []
    for i, (cx, cy, w, h) in enumerate(raw):
        x, y = 1 + cx * (width * stride - 2), 1 + cy * (height * stride - 2)
        half_w, half_h = 1 + w * 60, 1 + h * 60
        targets.append([i % 2, i % 3, x - half_w, y - half_h, x + half_w, y + half_h])
    tensor = torch.tensor(targets, dtype=torch.float32).reshape(-1, 6)
    found = match_anchors(tensor, ANCHORS, stride, height, width)
    got = sorted(zip(*(t.tolist() for t in (found.image, found.anchor, found.row, found.column)), strict=True))

    expected = []
    for image, _, x1, y1, x2, y2 in tensor.numpy():  # float32 as in the code, so that both round alike
        x, y = (x1 + x2) / 2 / stride, (y1 + y2) / 2 / stride
        for a, (aw, ah) in enumerate(ANCHORS.numpy()):
            ratios = (x2 - x1) / aw, (y2 - y1) / ah
            if max(*ratios, 1 / ratios[0], 1 / ratios[1]) >= MAX_RATIO:
                continue
            column, row = int(x // 1), int(y // 1)
            cells = [
                (row, column),
                (row, column + (-1 if x % 1 < 0.5 else 1)),
                (row + (-1 if y % 1 < 0.5 else 1), column),
            ]
            expected += [(int(image), a, r, c) for r, c in cells if 0 <= r < height and 0 <= c < width]
    assert got == sorted(expected)


def test_every_positive_can_reach_its_box() -> None:
    """A cell predicts centres from half a cell before itself to half a cell beyond."""
    torch.manual_seed(0)
    corners = torch.rand(50, 2) * 300
    targets = torch.cat([torch.zeros(50, 2), corners, corners + 5 + torch.rand(50, 2) * 100], 1)
    found = match_anchors(targets, ANCHORS, 16, 30, 30)
    offset = found.box[:, :2] - torch.stack([found.column, found.row], 1)
    assert len(offset)
    assert offset.min() >= -0.5
    assert offset.max() <= 1.5
