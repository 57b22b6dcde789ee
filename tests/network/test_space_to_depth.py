"""Layers of cells against the layers of pixels that they stand for."""

import pytest
import torch
from torch import nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from yolopv2.network import Network
from yolopv2.network.blocks import CSP, Conv, Up2
from yolopv2.network.fuse import fuse
from yolopv2.network.network import calibrate
from yolopv2.network.space_to_depth import convolution_of_cells, layers_of_cells, upsampling_of_cells


def pixels(channels: int, factor: int = 1) -> "torch.Tensor":
    return torch.rand(2, channels, 4 * factor, 6 * factor)


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_convolution_up_to_the_edges(kernel, stride, factor):
    conv = nn.Conv2d(3, 5, kernel, stride, kernel // 2)
    x = pixels(3, factor * stride)
    cells = convolution_of_cells(conv, factor)(pixel_unshuffle(x, factor * stride))
    torch.testing.assert_close(pixel_shuffle(cells, factor), conv(x), atol=1e-5, rtol=0)


@pytest.mark.parametrize("factor", [2, 4])
def test_a_convolution_after_nearest_upsampling(factor):
    conv, x = nn.Conv2d(3, 5, 3, padding=1, bias=False), pixels(3, factor // 2)
    cells = convolution_of_cells(conv, factor, upsampled=2)(pixel_unshuffle(x, factor // 2))
    expected = conv(nn.functional.interpolate(x, scale_factor=2, mode="nearest"))
    torch.testing.assert_close(pixel_shuffle(cells, factor), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("factor", [2, 4])
def test_learned_upsampling(factor):
    conv, x = nn.ConvTranspose2d(3, 5, 2, 2), pixels(3, factor // 2)
    cells = upsampling_of_cells(conv, factor)(pixel_unshuffle(x, factor // 2))
    torch.testing.assert_close(pixel_shuffle(cells, factor), conv(x), atol=1e-5, rtol=0)


def test_layers_one_after_the_other():
    layers = nn.Sequential(
        nn.Upsample(scale_factor=2), Conv(3, 8, 3), CSP(8, 4), Up2(4, 4), Conv(4, 6, 3, stride=2), Conv(6, 1, 3)
    )
    calibrate(layers, torch.Generator().manual_seed(3))
    layers = fuse(layers, implicit=True)
    x = pixels(3)
    with torch.no_grad():
        torch.testing.assert_close(pixel_shuffle(layers_of_cells(layers)(x), 2), layers(x), atol=1e-4, rtol=1e-4)


def test_the_given_layers_stay_as_they_are():
    layers = fuse(Network("nano", heads=["lanes"]).lanes).layers[-2:]
    before = {name: tensor.clone() for name, tensor in layers.state_dict().items()}
    layers_of_cells(layers)
    for name, tensor in layers.state_dict().items():
        assert torch.equal(tensor, before[name])
