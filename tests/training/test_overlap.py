import pytest
import torch

from yolopv2.geometry.boxes import iou_matrix
from yolopv2.training.overlap import ciou, iou


def test_iou_is_the_one_of_geometry() -> None:
    torch.manual_seed(0)
    corners = torch.rand(2, 30, 2) * 50
    a, b = (torch.cat([low, low + 1 + torch.rand(30, 2) * 40], 1) for low in corners)
    expected = iou_matrix(a.numpy(), b.numpy()).diagonal()
    torch.testing.assert_close(iou(a, b), torch.from_numpy(expected.copy()), atol=1e-5, rtol=1e-5)


def test_ciou_by_hand() -> None:
    a = torch.tensor([[-1.0, -1, 1, 1]])
    b = torch.tensor([[0.0, -1, 2, 1]])
    # intersection 2 of 6; centres 1 apart, enclosing box 3 x 2; equal aspect
    assert ciou(a, b).item() == pytest.approx(1 / 3 - 1 / 13, abs=1e-4)


def test_ciou_pulls_boxes_that_do_not_touch() -> None:
    near, far = torch.tensor([[2.5, -0.5, 3.5, 0.5]]), torch.tensor([[8.5, -0.5, 9.5, 0.5]])
    box = torch.tensor([[-0.5, -0.5, 0.5, 0.5]], requires_grad=True)
    assert ciou(box, near) > ciou(box, far)
    ciou(box, far).sum().backward()
    assert box.grad is not None
    assert box.grad[0, 2] > 0


def test_ciou_tells_aspect_ratios_apart() -> None:
    square, wide, wider = (torch.tensor([[-w, -1 / w, w, 1 / w]]) for w in (1.0, 2.0, 4.0))
    assert ciou(square, square) > ciou(square, wide) > ciou(square, wider)
