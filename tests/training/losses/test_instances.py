"""Losses of instance masks, against slow transcriptions of the papers' formulas."""

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from yolopv2.network.mask_head import PROTOTYPES, MaskMaps
from yolopv2.training.assign import Assignment
from yolopv2.training.losses.box_pixels import BoxPixels
from yolopv2.training.losses.box_supervision import lab, pairwise_sums, projection_sums
from yolopv2.training.losses.instances import instance_sums

HEIGHT, WIDTH = 12, 16
BOXES = torch.tensor([[1.0, 2, 7, 9], [0, 0, 16, 12], [5.2, 5.2, 5.4, 5.4], [10, 3, 15.6, 11.7]])
IMAGE = torch.tensor([0, 1, 1, 0])


def random_logits(pixels: BoxPixels) -> torch.Tensor:
    return torch.randn(len(pixels.owner), generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def whole(logits: torch.Tensor, pixels: BoxPixels) -> list[torch.Tensor]:
    """The cropped mask of each box, on the whole map."""
    masks = [torch.zeros(HEIGHT, WIDTH, dtype=torch.float64) for _ in pixels.boxes]
    for value, owner, row, column in zip(logits, pixels.owner, pixels.row, pixels.column, strict=True):
        masks[owner][row, column] = value.sigmoid()
    return masks


def test_pixels_are_those_whose_centres_are_inside() -> None:
    pixels = BoxPixels.of(BOXES, HEIGHT, WIDTH)
    for number, (x1, y1, x2, y2) in enumerate(BOXES.tolist()):
        mine = pixels.owner == number
        own = set(zip(pixels.row[mine].tolist(), pixels.column[mine].tolist(), strict=True))
        inside = {(r, c) for r in range(HEIGHT) for c in range(WIDTH) if x1 <= c + 0.5 < x2 and y1 <= r + 0.5 < y2}
        assert own == (inside or {(5, 5)})
    index, inside = pixels.index_of(pixels.row + 1, pixels.column - 2)
    assert (pixels.row[index] == pixels.row + 1)[inside].all()
    assert (pixels.column[index] == pixels.column - 2)[inside].all()
    assert (pixels.owner[index] == pixels.owner)[inside].all()


def test_projection_term_is_equation_1() -> None:
    pixels = BoxPixels.of(BOXES, HEIGHT, WIDTH)
    logits = random_logits(pixels)
    expected = 0.0
    for mask, (x1, y1, x2, y2) in zip(whole(logits, pixels), pixels.boxes.tolist(), strict=True):
        box = torch.zeros(HEIGHT, WIDTH, dtype=torch.float64)
        box[y1:y2, x1:x2] = 1
        for axis in (0, 1):
            p, t = mask.amax(axis), box.amax(axis)
            expected += float(1 - 2 * (p * t).sum() / ((p * p).sum() + (t * t).sum()))
    assert projection_sums(logits, pixels, HEIGHT, WIDTH).item() == pytest.approx(expected)


def test_pairwise_term_is_equation_6() -> None:
    pixels = BoxPixels.of(BOXES, HEIGHT, WIDTH)
    logits = random_logits(pixels)
    colours = 4 * torch.rand(2, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    expected = 0.0
    for number, mask in enumerate(whole(logits, pixels)):
        x1, y1, x2, y2 = pixels.boxes[number].tolist()
        edges = set()
        for row in range(HEIGHT):
            for column in range(WIDTH):
                for down in (-2, 0, 2):
                    for right in (-2, 0, 2):
                        a, b = (row, column), (row + down, column + right)
                        exists = a != b and 0 <= b[0] < HEIGHT and 0 <= b[1] < WIDTH
                        if exists and any(y1 <= y < y2 and x1 <= x < x2 for y, x in (a, b)):
                            edges.add(frozenset([a, b]))
        total = 0.0
        for a, b in map(tuple, edges):
            c = colours[IMAGE[number]]
            if torch.exp(-(c[:, a[0], a[1]] - c[:, b[0], b[1]]).norm() / 2) >= 0.3:
                total -= float(torch.log(mask[a] * mask[b] + (1 - mask[a]) * (1 - mask[b])))
        expected += total / len(edges)
    assert pairwise_sums(logits, pixels, IMAGE, colours).item() == pytest.approx(expected)


def test_colours_are_those_of_opencv() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    ours = lab(torch.from_numpy(image).permute(2, 0, 1)[None], 1)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(
        ours, cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), atol=0.3
    )  # its tables


def problem(count: int = 2) -> tuple[MaskMaps, list[Assignment], torch.Tensor, torch.Tensor]:
    """Maps of a network for two frames of 96x64, one positive for each of some objects, instances of every object."""
    generator = torch.Generator().manual_seed(0)
    prototypes = torch.randn(2, PROTOTYPES, 16, 24, generator=generator).requires_grad_()
    raw = [torch.randn(2, 3 * PROTOTYPES, 64 // s, 96 // s, generator=generator).requires_grad_() for s in (8, 16, 32)]
    targets = torch.tensor([[0.0, 0, 8, 8, 40, 32], [0, 0, 50, 10, 90, 60], [1, 0, 4, 4, 20, 60]])[:count]
    instances = torch.zeros(2, 64, 96, dtype=torch.int16)
    number = [1, 2, 1]
    for (image, _, x1, y1, x2, y2), n in zip(targets.int().tolist(), number, strict=False):
        instances[image, y1:y2, x1:x2] = n
        instances[image, y1 : (y1 + y2) // 2, x1 : (x1 + x2) // 2] = 0
    every = torch.arange(count)
    first = Assignment(every, targets[:, 0].long(), every * 0, every + 1, every + 2)
    return MaskMaps(prototypes, raw), [first, *(first.pick(every < 0) for _ in range(2))], targets, instances


IMAGES = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_mask_loss_is_yolacts() -> None:
    maps, found, targets, instances = problem(3)
    sums = instance_sums(maps, found, targets, instances, IMAGES)
    expected = 0.0
    for row, (image, _, x1, y1, x2, y2) in enumerate((targets / 4).round().int().tolist()):
        image = int(targets[row, 0])
        coefficients = maps.coefficients[0][image, :PROTOTYPES, row + 1, row + 2].tanh()
        logits = torch.einsum("k,khw->hw", coefficients, maps.prototypes[image])
        own = (instances[image] == (row % 2 + 1)).float()
        wanted = F.avg_pool2d(own[None], 4)[0]
        crop = (slice(y1, y2), slice(x1, x2))
        expected += F.binary_cross_entropy_with_logits(logits[crop], wanted[crop]).item()
    assert sums.mask.item() == pytest.approx(expected, rel=1e-4)
    assert (sums.mask_count.item(), sums.mask_boxes.item()) == (3, 0)
    assert sums.mask_projection.item() == sums.mask_pairwise.item() == 0


def test_what_has_no_mask_learns_from_its_box_or_not_at_all() -> None:
    maps, found, targets, instances = problem()
    instances[instances == 2] = 0
    both = instance_sums(maps, found, targets, instances, IMAGES)
    assert (both.mask_count.item(), both.mask_boxes.item()) == (1, 1)
    assert both.mask.item() > 0
    assert both.mask_projection.item() > 0
    assert both.mask_pairwise.item() > 0
    off = instance_sums(maps, found, targets, None, IMAGES, from_boxes=False)
    assert off.mask.item() == off.mask_projection.item() == off.mask_pairwise.item() == 0
    (off.mask + off.mask_projection + off.mask_pairwise).backward()
    assert all(x.grad is not None and not x.grad.any() for x in (maps.prototypes, *maps.coefficients))


def test_gradients_reach_the_box_and_its_anchor_only() -> None:
    maps, found, targets, instances = problem(1)
    instance_sums(maps, found, targets, instances, IMAGES).mask.backward()
    touched = maps.prototypes.grad.abs().sum(1) > 0  # type: ignore[union-attr]
    expected = torch.zeros(2, 16, 24, dtype=torch.bool)
    expected[0, 2:8, 2:10] = True
    assert torch.equal(touched, expected)
    cells = maps.coefficients[0].grad.view(2, 3, PROTOTYPES, 8, 12).abs().sum(2).nonzero()  # type: ignore[union-attr]
    assert cells.tolist() == [[0, 0, 1, 2]]
    assert all(not x.grad.any() for x in maps.coefficients[1:])  # type: ignore[union-attr]


def test_many_positives_are_sampled() -> None:
    maps, found, targets, instances = problem()
    crowd = [f.pick(torch.arange(2).repeat(200)) if len(f.target) else f for f in found]
    sums = instance_sums(maps, crowd, targets, instances, IMAGES)
    assert sums.mask_count.item() == 128


@pytest.mark.parametrize("term", ["mask", "boxes"])
def test_descending_the_loss_finds_the_mask(term: str) -> None:
    """The maps themselves are optimised; from the box alone the mask follows the colours."""
    maps, found, _, _ = problem(1)
    targets = torch.tensor([[0.0, 0, 8, 8, 40, 40]])
    instances = torch.zeros(2, 64, 96, dtype=torch.int16)
    instances[0, 8:40, 8:40] = 1
    instances[0, 8:24, 8:24] = 0
    images = torch.full((2, 3, 64, 96), 60, dtype=torch.uint8)
    images[0, :, instances[0] == 1] = 200
    # Pixels in squares of two, for neighbours at a distance of two alone would say nothing of those between.
    coarse = (0.1 * maps.prototypes.detach()[:, :, ::2, ::2]).requires_grad_()
    optimizer = torch.optim.Adam([coarse, *maps.coefficients], lr=0.2)
    for _ in range(60):
        maps = maps._replace(prototypes=F.interpolate(coarse, scale_factor=2))
        sums = instance_sums(maps, found, targets, instances if term == "mask" else None, images)
        optimizer.zero_grad()
        (sums.mask + sums.mask_projection + sums.mask_pairwise).backward()
        optimizer.step()
    coefficients = maps.coefficients[0][0, :PROTOTYPES, 1, 2].tanh()
    seen = torch.einsum("k,khw->hw", coefficients, maps.prototypes[0])[2:10, 2:10] > 0
    assert torch.equal(seen, instances[0, 8:40:4, 8:40:4] == 1)
