"""The network as runtimes see it: bytes in, candidates out."""

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle

from yolopv2.network.blocks import Conv, Up2
from yolopv2.network.decode import decode
from yolopv2.network.fuse import fuse
from yolopv2.network.mask_head import anchor_coefficients
from yolopv2.network.network import Network
from yolopv2.network.space_to_depth import convolution_of_pairs, layers_of_cells

_CELL = 4
"""Pixels along each side of a cell, in which the segmentation heads end."""

_THIN = 8
"""A first layer of so few channels leaves half of the processor's vectors empty."""


class DeployedNetwork(nn.Module):
    """Normalisation, the fused network and decoding in one graph, so that little memory moves in and out.

    The last layers of the segmentation heads compute cells of 4 x 4 pixels, and the first layers, where they are thin,
    pairs of pixels, see `yolopv2.network.space_to_depth`.

    Args:
        network: A network in training or deployed form; it is copied.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = fuse(network, implicit=True)
        with torch.no_grad():
            first, second, *_ = self.network.encoder.stem
            assert isinstance(first, Conv)
            assert isinstance(second, Conv)
            self._pairs = first.conv.out_channels <= _THIN
            if self._pairs:
                _begin_in_pairs(first, second)
            if self.network.drivable is not None:
                _contrast(self.network.drivable.layers[-1])
                self.network.drivable.layers = _end_in_cells(self.network.drivable.layers)
            if self.network.lanes is not None:
                self.network.lanes.layers = _end_in_cells(self.network.lanes.layers)

    @property
    def output_names(self) -> list[str]:
        """Names of what `forward` returns, in order."""
        names = {
            "detection": ["boxes", "scores"],
            "drivable": ["drivable"],
            "lanes": ["lanes"],
            "masks": ["coefficients", "prototypes"],
        }
        return [name for head in self.network.heads for name in names[head]]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Looks at frames.

        Args:
            image: uint8 ``[N, H, W, 3]``, RGB, H and W multiples of 32.

        Returns:
            What the heads see, absent heads left out: boxes float32 ``[N, A, 4]`` in pixels, scores float32
            ``[N, A, C]``, drivable and lane probability as uint8 ``[N, H, W]`` (255 is certain), mask coefficients
            float32 ``[N, A, K]`` and prototypes float32 ``[N, K, H / 4, W / 4]``: the mask of a box is where the sum of
            its anchor's coefficients times the prototypes is positive.
        """
        weight = next(self.network.parameters())
        if self._pairs:
            image = image.reshape(image.shape[0], image.shape[1], -1, 2 * image.shape[3])
        x = image.permute(0, 3, 1, 2).to(weight.dtype) / 255
        out = self.network(x)  # called whole, as exported layers are named after the modules on the way
        results: list[Tensor] = []
        if out.detections is not None:
            results += decode(out.detections, self.network.anchors)
        if out.drivable is not None:
            results.append(_as_bytes(out.drivable))
        if out.lanes is not None:
            results.append(_as_bytes(out.lanes))
        if out.masks is not None:
            prototypes = out.masks.prototypes
            # Without a cast to what it is already: OpenVINO drops one from a graph, and the output's name with it.
            prototypes = prototypes if prototypes.dtype == torch.float32 else prototypes.float()
            results += [anchor_coefficients(out.masks), prototypes]
        return tuple(results)


def _contrast(last: nn.Module) -> None:
    """Makes the drivable head's last layer give one channel instead of two.

    Of the two independent channels the stronger one wins; the sigmoid of their difference says by how much.
    """
    assert isinstance(last, Conv)
    conv = last.conv
    assert conv.bias is not None
    conv.weight, conv.bias = (nn.Parameter(part[1:] - part[:1]) for part in (conv.weight, conv.bias))
    conv.out_channels = 1


def _begin_in_pairs(first: Conv, second: Conv) -> None:
    """Makes the first two layers take pairs of pixels, as they lie in memory."""
    first.conv, second.conv = convolution_of_pairs(first.conv), convolution_of_pairs(second.conv)
    # In memory the colours of one pixel come before those of the next.
    first.conv.weight = nn.Parameter(first.conv.weight.unflatten(1, (-1, 2)).transpose(1, 2).flatten(1, 2))


def _end_in_cells(layers: nn.Sequential) -> nn.Sequential:
    """The layers with those after a stride of `_CELL` computing cells."""
    upsampling = [position for position, layer in enumerate(layers) if isinstance(layer, nn.Upsample | Up2)]
    begin = upsampling[1 - _CELL.bit_length()]
    return nn.Sequential(*list(layers)[:begin], *layers_of_cells(nn.Sequential(*list(layers)[begin:])))


def _as_bytes(cells: Tensor) -> Tensor:
    """Probabilities ``[N, H, W]`` from the logits of cells."""
    return pixel_shuffle((cells.float().sigmoid() * 255).round().to(torch.uint8), _CELL)[:, 0]
