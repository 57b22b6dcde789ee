"""Thin layers of high resolution, computed exactly by wide layers of low resolution.

Processors multiply whole blocks of channels: a convolution from 8 channels to 1 leaves most of each block empty, and
its large maps are slow to move. Space to depth (pixel unshuffle, arXiv 1609.05158) lays the r x r pixels of a cell
beside each other as channels, channel ``c * r * r + row * r + column``; a convolution of the pixels then is a
convolution of the cells whose weights are those of the pixels, each where it belongs, and zeros. Nearest upsampling
vanishes: the pixels that read the same one read the same channel.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from yolopv2.network.blocks import CSP, Conv, Up2


def convolution_of_cells(conv: nn.Conv2d, factor: int, upsampled: int = 1) -> nn.Conv2d:
    """A convolution of cells that computes a convolution of pixels.

    Args:
        conv: 'Same' padding, without groups.
        factor: Pixels of the output along each side of a cell.
        upsampled: How often its input is repeated along each side before ``conv`` sees it.

    Returns:
        A convolution of stride 1 whose input has ``factor * stride / upsampled`` pixels along each side of a cell.

    Example:
        >>> import torch
        >>> conv, x = nn.Conv2d(3, 5, 3, padding=1), torch.rand(1, 3, 8, 12)
        >>> cells = convolution_of_cells(conv, 2)(nn.functional.pixel_unshuffle(x, 2))
        >>> torch.allclose(nn.functional.pixel_shuffle(cells, 2), conv(x), atol=1e-5)
        True
    """
    weight = conv.weight
    for axis in (2, 3):
        weight = _cells_along(axis, weight, conv.stride[0], factor, upsampled)
    return _convolution(weight, conv.bias, factor * factor)


def convolution_of_pairs(conv: nn.Conv2d) -> nn.Conv2d:
    """A convolution of pairs, cells of one row and two columns, that computes a convolution of pixels.

    Args:
        conv: 'Same' padding, without groups, stride 1 or 2.

    Returns:
        A convolution whose input is pairs, channel ``c * 2 + column``. Its output is pairs too after a stride of 1, and
        pixels after one of 2.

    Example:
        >>> import torch
        >>> conv, x = nn.Conv2d(3, 5, 3, stride=2, padding=1), torch.rand(1, 3, 8, 12)
        >>> pairs = x.unflatten(3, (6, 2)).movedim(4, 2).flatten(1, 2)
        >>> torch.allclose(convolution_of_pairs(conv)(pairs), conv(x), atol=1e-5)
        True
    """
    pixels = 2 // conv.stride[1]
    weight = _cells_along(3, conv.weight, conv.stride[1], pixels)
    return _convolution(weight, conv.bias, pixels, (conv.stride[0], 1))


def upsampling_of_cells(conv: nn.ConvTranspose2d, factor: int) -> nn.Conv2d:
    """A convolution of cells that computes a transposed convolution of kernel and stride 2.

    Args:
        conv: What upsamples.
        factor: Pixels of its output along each side of a cell, even.
    """
    taken = factor // 2
    weight = conv.weight.new_zeros(conv.out_channels, factor, factor, conv.in_channels, taken, taken, 1, 1)
    for y in range(factor):
        for x in range(factor):
            weight[:, y, x, :, y // 2, x // 2, 0, 0] = conv.weight[:, :, y % 2, x % 2].T
    return _convolution(weight.flatten(0, 2).flatten(1, 3), conv.bias, factor * factor)


def layers_of_cells(layers: nn.Sequential, factor: int = 1) -> nn.Sequential:
    """Layers that give cells where the given ones give pixels.

    Args:
        layers: Fused convolutions, CSP blocks and upsampling.
        factor: Pixels along each side of a cell of the input.

    Returns:
        The same layers on cells; upsampling makes the cells larger, strides make them smaller.
    """
    made, upsampled = nn.Sequential(), 1
    for layer in layers:
        if isinstance(layer, nn.Upsample):
            upsampled *= 2
            continue
        layer = deepcopy(layer)
        if isinstance(layer, Up2):
            factor *= 2
            layer.conv = upsampling_of_cells(layer.conv, factor)  # type: ignore[assignment]
        elif isinstance(layer, Conv):
            factor = factor * upsampled // layer.conv.stride[0]
            layer.conv = convolution_of_cells(layer.conv, factor, upsampled)
        else:
            assert isinstance(layer, CSP)
            assert upsampled == 1
            _convert(layer, factor)
        made.append(layer)
        upsampled = 1
    return made


def _convert(csp: CSP, factor: int) -> None:
    for parent in csp.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.Conv2d):
                setattr(parent, name, convolution_of_cells(child, factor))


def _cells_along(axis: int, weight: Tensor, stride: int, factor: int, upsampled: int = 1) -> Tensor:
    """The weight of a convolution of pixels along one axis as one of cells along it.

    Args:
        axis: 2 for rows of cells above each other, 3 for those beside each other.
        weight: ``[O, I, rows, columns]``.
        stride: Of the convolution of pixels.
        factor: Pixels of the output in a cell.
        upsampled: How often the input is repeated before the convolution sees it.

    Returns:
        ``[O * factor, I * taken, ...]`` with ``taken`` pixels of the input in a cell; the pixel is the quicker index.
    """
    taken, taps = factor * stride // upsampled, weight.shape[axis]
    # Where each output pixel of a cell finds what each tap reads: which cell, which pixel there.
    found = {
        (pixel, tap): divmod((stride * pixel + tap - taps // 2) // upsampled, taken)
        for pixel in range(factor)
        for tap in range(taps)
    }
    away = max(abs(cell) for cell, _ in found.values())
    places = weight.new_zeros(factor, taken, 2 * away + 1, taps)
    for (pixel, tap), (cell, read) in found.items():
        places[pixel, read, away + cell, tap] = 1
    made = torch.einsum("oikt,prct->opirkc", weight.movedim(axis, -1), places)
    return made.flatten(2, 3).flatten(0, 1).movedim(-1, axis)


def _convolution(weight: Tensor, bias: Tensor | None, pixels: int, stride: tuple[int, int] = (1, 1)) -> nn.Conv2d:
    """A convolution with that weight, and that bias for each of the pixels of a cell."""
    outputs, inputs, rows, columns = weight.shape
    padding = rows // 2, columns // 2
    made = nn.Conv2d(inputs, outputs, (rows, columns), stride, padding, bias=bias is not None)
    made.weight = nn.Parameter(weight)
    if bias is not None:
        made.bias = nn.Parameter(bias.repeat_interleave(pixels))
    return made.to(weight.device)
