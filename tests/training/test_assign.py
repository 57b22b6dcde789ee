import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from yolopv2.network.decode import decode_boxes
from yolopv2.training.assign import CANDIDATES, MAX_RATIO, OVERLAP_COST, Assignment, match_anchors, simota
from yolopv2.training.overlap import iou

ANCHORS = torch.tensor([[10.0, 10.0], [30.0, 20.0], [100.0, 90.0]])
STRIDES = (8, 16, 32)


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
    got = sorted(zip(*(t.tolist() for t in found), strict=True))

    expected = []
    for number, (image, _, x1, y1, x2, y2) in enumerate(tensor.numpy()):  # float32 as in the code: both round alike
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
            expected += [(number, int(image), a, r, c) for r, c in cells if 0 <= r < height and 0 <= c < width]
    assert got == sorted(expected)


def test_every_positive_can_reach_its_box() -> None:
    """A cell predicts centres from half a cell before itself to half a cell beyond."""
    targets = random_targets(50, size=300)
    found = match_anchors(targets, ANCHORS, 16, 30, 30)
    centre = (targets[found.target, 2:4] + targets[found.target, 4:]) / 32
    offset = centre - torch.stack([found.column, found.row], 1)
    assert len(offset)
    assert offset.min() >= -0.5
    assert offset.max() <= 1.5


def random_targets(count: int, size: int = 100, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(count, 2, generator=generator) * size
    sides = 5 + torch.rand(count, 2, generator=generator) * 60
    image = torch.randint(0, 2, (count, 1), generator=generator).float()
    class_id = torch.randint(0, 2, (count, 1), generator=generator).float()
    return torch.cat([image, class_id, corners, corners + sides], 1)


def levels(targets: torch.Tensor, seed: int = 0) -> tuple[list[Assignment], list[torch.Tensor], torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    anchors = torch.stack([ANCHORS, ANCHORS * 1.5, ANCHORS * 2])
    shapes = [(128 // s, 160 // s) for s in STRIDES]
    maps = [torch.randn(2, 3, h, w, 7, generator=generator) for h, w in shapes]
    plain = [match_anchors(targets, a, s, h, w) for a, s, (h, w) in zip(anchors, STRIDES, shapes, strict=True)]
    return plain, maps, anchors


def rows(found: list[Assignment]) -> list[tuple[int, ...]]:
    return [(level, *row) for level, f in enumerate(found) for row in zip(*(t.tolist() for t in f), strict=True)]


def simota_by_loops(
    plain: list[Assignment], maps: list[torch.Tensor], targets: torch.Tensor, anchors: torch.Tensor
) -> set[tuple[int, ...]]:
    """The rule object by object, as the paper tells it."""
    costs: dict[tuple[int, ...], float] = {}
    overlaps: dict[tuple[int, ...], float] = {}
    for level, target, image, anchor, row, column in rows(plain):
        p = maps[level][image, anchor, row, column]
        cell = torch.tensor([[column, row]])
        xy, wh = decode_boxes(p[None], cell, anchors[level][anchor][None], STRIDES[level])
        overlap = iou(torch.cat([xy - wh / 2, xy + wh / 2], 1), targets[target : target + 1, 2:]).item()
        cost = -OVERLAP_COST * torch.tensor(overlap + 1e-6).log().item()
        for class_id in range(2):
            score = (p[5 + class_id].sigmoid() * p[4].sigmoid()).sqrt()
            right = score if class_id == int(targets[target, 1]) else 1 - score
            cost -= right.log().item()
        key = (level, target, image, anchor, row, column)
        costs[key], overlaps[key] = cost, overlap
    chosen: dict[tuple[int, ...], tuple[float, tuple[int, ...]]] = {}
    for target in range(len(targets)):
        mine = [key for key in costs if key[1] == target]
        best = sorted((overlaps[key] for key in mine), reverse=True)[:CANDIDATES]
        for key in sorted(mine, key=lambda k: costs[k])[: max(1, int(sum(best)))]:
            place = (key[0], *key[2:])
            if place not in chosen or costs[key] < chosen[place][0]:
                chosen[place] = (costs[key], key)
    return {key for _, key in chosen.values()}


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.integers(1, 12))
def test_simota_equals_the_rule_written_as_loops(seed: int, count: int) -> None:
    targets = random_targets(count, seed=seed)
    plain, maps, anchors = levels(targets, seed)
    found = simota(plain, maps, targets, anchors)
    assert set(rows(found)) == simota_by_loops(plain, maps, targets, anchors)


def test_simota_gives_no_anchor_to_two_objects() -> None:
    targets = random_targets(40)
    plain, maps, anchors = levels(targets)
    places = [(level, *rest) for level, _, *rest in rows(simota(plain, maps, targets, anchors))]
    assert len(places) == len(set(places))


def test_simota_of_nothing_is_nothing() -> None:
    targets = torch.zeros(0, 6)
    plain, maps, anchors = levels(targets)
    assert rows(simota(plain, maps, targets, anchors)) == []
