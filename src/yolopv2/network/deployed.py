"""The network as runtimes see it: bytes in, candidates out."""

import torch
from torch import Tensor, nn

from yolopv2.network.decode import decode
from yolopv2.network.fuse import fuse
from yolopv2.network.mask_head import anchor_coefficients
from yolopv2.network.network import Network


class DeployedNetwork(nn.Module):
    """Normalisation, the fused network and decoding in one graph, so that little memory moves in and out.

    Args:
        network: A network in training or deployed form; it is copied.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = fuse(network, implicit=True)

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
        x = image.permute(0, 3, 1, 2).to(weight.dtype) / 255
        out = self.network(x)
        results: list[Tensor] = []
        if out.detections is not None:
            results += decode(out.detections, self.network.anchors)
        if out.drivable is not None:
            # Of the two independent channels the stronger one wins; the sigmoid of their difference says by how much.
            results.append(_as_bytes(out.drivable[:, 1] - out.drivable[:, 0]))
        if out.lanes is not None:
            results.append(_as_bytes(out.lanes[:, 0]))
        if out.masks is not None:
            results += [anchor_coefficients(out.masks), out.masks.prototypes.float()]
        return tuple(results)


def _as_bytes(logits: Tensor) -> Tensor:
    return (logits.float().sigmoid() * 255).round().to(torch.uint8)
