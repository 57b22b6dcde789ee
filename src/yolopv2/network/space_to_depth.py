"""Thin layers of high resolution, computed exactly by wide layers of low resolution.

Processors multiply whole blocks of channels: a convolution from 8 channels to 1 leaves most of each block empty, and
its large maps are slow to move. Space to depth (pixel unshuffle, arXiv 1609.05158) lays the r x r pixels of a cell
beside each other as channels, channel ``c * r * r + row * r + column``; a convolution of the pixels then is a
convolution of the cells whose weights are those of the pixels, each where it belongs, and zeros. Nearest upsampling
vanishes: the pixels that read the same one read the same channel.
"""

from copy import deepcopy

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
    taken = factor * conv.stride[0] // upsampled
    reach, (rows, columns) = conv.kernel_size[0] // 2, (range(conv.kernel_size[0]),) * 2
    # Where along a side each output pixel of a cell finds what each tap reads: which cell, which pixel there.
    found = [
        [divmod((conv.stride[0] * pixel + tap - reach) // upsampled, taken) for tap in rows] for pixel in range(factor)
    ]
    away = max(abs(cell) for pixel in found for cell, _ in pixel)
    side = 2 * away + 1
    weight = conv.weight.new_zeros(conv.out_channels, factor, factor, conv.in_channels, taken, taken, side, side)
    for y, taps_y in enumerate(found):
        for x, taps_x in enumerate(found):
            for row in rows:
                for column in columns:
                    (cell_y, from_y), (cell_x, from_x) = taps_y[row], taps_x[column]
                    weight[:, y, x, :, from_y, from_x, away + cell_y, away + cell_x] += conv.weight[:, :, row, column]
    return _convolution(weight.flatten(0, 2).flatten(1, 3), conv.bias, factor)


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
    return _convolution(weight.flatten(0, 2).flatten(1, 3), conv.bias, factor)


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


def _convolution(weight: Tensor, bias: Tensor | None, factor: int) -> nn.Conv2d:
    made = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[-1], padding="same", bias=bias is not None)
    made.weight = nn.Parameter(weight)
    if bias is not None:
        made.bias = nn.Parameter(bias.repeat_interleave(factor * factor))
    return made.to(weight.device)
