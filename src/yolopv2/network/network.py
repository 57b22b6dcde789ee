"""The network: encoder and heads, from pixels to logits."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from yolopv2.errors import YolopError
from yolopv2.network.blocks import BN_EPS
from yolopv2.network.encoder import AGGREGATIONS, Encoder
from yolopv2.network.heads import STRIDES, DetectionHead, DrivableHead, LaneHead
from yolopv2.network.mask_head import MaskHead, MaskMaps
from yolopv2.network.variants import ALL_HEADS, COCO_ANCHORS, HEADS, variant


class Outputs(NamedTuple):
    """Logits of every head; None where the network lacks the head.

    Attributes:
        detections: Three maps ``[N, 3 * (5 + classes), H / s, W / s]`` for the strides s of 8, 16, 32.
        drivable: ``[N, 2, H, W]``, channel 0 background, channel 1 road.
        lanes: ``[N, 1, H, W]``.
        masks: What the instance masks of the boxes are assembled from, see `MaskMaps`.
    """

    detections: list[Tensor] | None
    drivable: Tensor | None
    lanes: Tensor | None
    masks: MaskMaps | None = None


class Network(nn.Module):
    """YOLOPv2: one encoder, up to four heads.

    Args:
        variant_name: ``"nano"``, ``"small"`` or ``"base"`` (the released network).
        classes: Number of detection classes; the release has 80.
        heads: Any of ``detection``, ``drivable``, ``lanes``, and beside detection ``masks``, instance masks of the
            boxes, which the release has not.
        encoder: ``"elan"`` as released, or ``"e-elan"`` as the paper describes.
        anchors: Width and height in pixels at network scale, three per stride.

    Raises:
        YolopError: Unknown variant, head or encoder, or no head at all, masks without detection, or less than one
            class.

    Example:
        >>> network = Network("nano", classes=1, heads=["lanes"])
        >>> network(torch.zeros(1, 3, 64, 96)).lanes.shape
        torch.Size([1, 1, 64, 96])
    """

    anchors: Tensor

    def __init__(
        self,
        variant_name: str = "base",
        classes: int = 80,
        heads: Collection[str] = HEADS,
        encoder: str = "elan",
        anchors: Sequence[Sequence[Sequence[float]]] = COCO_ANCHORS,
    ) -> None:
        super().__init__()
        plan = variant(variant_name)
        check_heads(heads)
        if encoder not in AGGREGATIONS:
            raise YolopError(f"No encoder is called {encoder!r}; there are: {', '.join(AGGREGATIONS)}.")
        if classes < 1:
            raise YolopError(f"A network needs at least one class, not {classes}.")
        c = plan.channels
        self.variant_name, self.classes, self.encoder_name = plan.name, classes, encoder
        self.heads = tuple(h for h in ALL_HEADS if h in heads)
        self.encoder = Encoder(c, self.heads, encoder)
        self.detection = (
            DetectionHead((c(128), c(256), c(512)), (c(256), c(512), c(1024)), classes)
            if "detection" in heads
            else None
        )
        self.drivable = DrivableHead(2 * c(256), c) if "drivable" in heads else None
        self.lanes = LaneHead(2 * c(128), c) if "lanes" in heads else None
        self.masks = MaskHead(c(256), (c(128), c(256), c(512)), c) if "masks" in heads else None
        # Anchors are part of what was learned, so they travel with the weights.
        self.register_buffer("anchors", torch.tensor(anchors, dtype=torch.float32).view(len(STRIDES), -1, 2))

    def forward(self, x: Tensor) -> Outputs:
        """Runs the network.

        Args:
            x: ``[N, 3, H, W]``, RGB in 0..1, H and W multiples of 32; as pairs of pixels, ``[N, 6, H, W / 2]``, where
                the first layers are made to take them.

        Returns:
            Logits of every head the network has.

        Raises:
            YolopError: The height or width is not a multiple of 32.
        """
        height, width = x.shape[2], x.shape[3] * (x.shape[1] // 3)
        if not torch.jit.is_tracing() and not torch.compiler.is_compiling() and (height % 32 or width % 32):
            raise YolopError(f"The network takes multiples of 32 pixels, not {width}x{height}.")
        features = self.encoder(x)
        return Outputs(
            self.detection(features.pyramid) if self.detection is not None else None,
            self.drivable(features.drivable) if self.drivable is not None else None,
            self.lanes(features.lanes) if self.lanes is not None else None,
            self.masks(features.fine, features.pyramid) if self.masks is not None else None,
        )


def check_heads(heads: Collection[str]) -> None:
    """Raises a `YolopError` unless a network can have these heads."""
    unknown = sorted(set(heads) - set(ALL_HEADS))
    if unknown or not heads:
        raise YolopError(f"Unknown or no heads: {unknown or 'none given'}; choose from {', '.join(ALL_HEADS)}.")
    if "masks" in heads and "detection" not in heads:
        raise YolopError("The head 'masks' gives masks to the boxes of the head 'detection': ask for both, or neither.")


def calibrate(network: nn.Module, generator: torch.Generator | None = None) -> None:
    """Gives an untrained network plausible statistics, so that numbers of all layers are of the order of one.

    Tests and benchmarks need it: with fresh batch statistics a deep network's outputs vanish, and a comparison of two
    nothings proves nothing.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                fan = module.weight[0].numel() if isinstance(module, nn.Conv2d) else module.weight.shape[0]
                module.weight.normal_(0, (2.0 / fan) ** 0.5, generator=generator)
            elif isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.8, 1.2, generator=generator)
                module.bias.normal_(0, 0.2, generator=generator)
                module.running_mean.normal_(0, 0.2, generator=generator)  # type: ignore[union-attr]
                module.running_var.uniform_(0.8 - BN_EPS, 1.2, generator=generator)  # type: ignore[union-attr]
