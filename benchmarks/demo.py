"""What the authors' demo does with a frame, without drawing: the path a user would otherwise run.

Written from what is known of it: the frame is brought to 1280x720 and letterboxed to 640x384 in grey 114; the
TorchScript file gives three raw detection maps, the anchors, and two masks that went through the sigmoid; PyTorch
decodes the boxes; the masks are cut to rows 12 to 372, enlarged twofold by PyTorch, bilinearly, and decided by argmax
and by rounding. For suppression the demo needs torchvision; here it is this package's, which is no slower. Everything
else is the demo's own way, including that it is not a quick one.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from yolopv2.geometry.boxes import cxcywh_to_xyxy, nms
from yolopv2.network import Network, fuse

_STRIDES = (8, 16, 32)
_CLASS_OFFSET = 4096
_CONF, _IOU, _MOST = 0.3, 0.45, 300
_TOP, _BOTTOM = 12, 372


class ReleasedForm(nn.Module):
    """The network as the released file gives its results."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = fuse(network)

    def forward(self, x: Tensor) -> Any:
        """``[N, 3, H, W]`` to ``(raw maps, anchors), drivable, lanes``, the masks as probabilities."""
        out = self.network(x)
        anchors = tuple(level.view(1, 3, 1, 1, 2) for level in self.network.anchors)
        return (tuple(out.detections), anchors), out.drivable.sigmoid(), out.lanes.sigmoid()


def write_torchscript(network: Network, path: Path) -> None:
    """Traces a network in the released form, as the released file was."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # that tracing fixes sizes, and that TorchScript has a successor
        traced = torch.jit.trace(ReleasedForm(network).eval(), torch.zeros(1, 3, 384, 640), check_trace=False)
        torch.jit.save(traced, str(path))


class OfficialDemo:
    """Looks at frames as the demo does.

    Args:
        weights: TorchScript of the released form.
    """

    def __init__(self, weights: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that TorchScript has a successor
            self.model = torch.jit.load(str(weights), map_location="cpu").eval()

    def __call__(self, image: NDArray[np.uint8]) -> tuple[Tensor, NDArray[Any], NDArray[Any]]:
        """Boxes ``[n, 6]`` in pixels of the frame with confidence and class, drivable and lane mask ``[720, 1280]``.

        The channels' order is turned round once, as in the demo, whichever it is.
        """
        canvas = _letterbox(cv2.resize(image, (1280, 720), interpolation=cv2.INTER_LINEAR))
        x = torch.from_numpy(np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1))).float()
        x /= 255.0
        with torch.no_grad():
            (maps, anchors), drivable, lanes = self.model(x[None])
            candidates = decode(maps, anchors)
        boxes = suppress(candidates[0])
        boxes[:, [1, 3]] -= _TOP
        boxes[:, :4] *= 2
        boxes[:, [0, 2]] = boxes[:, [0, 2]].clamp(0, 1280)
        boxes[:, [1, 3]] = boxes[:, [1, 3]].clamp(0, 720)
        boxes[:, :4] = boxes[:, :4].round()
        return boxes, drivable_mask(drivable), lane_mask(lanes)

    def seen(self, image: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """What it sees in an RGB frame, for comparison.

        Returns:
            ``boxes``, ``classes``, the masks ``drivable_mask`` and ``lanes_mask``, bool, and before them ``drivable``
            and ``lanes``, probabilities on the canvas; of the two drivable channels that of the stronger one's lead.
        """
        bgr = np.ascontiguousarray(image[:, :, ::-1])
        boxes, drivable_decided, lanes_decided = self(bgr)
        x = torch.from_numpy(np.ascontiguousarray(_letterbox(image).transpose(2, 0, 1))).float()[None] / 255.0
        with torch.no_grad():
            _, drivable, lanes = self.model(x)
        lead = torch.logit(drivable[0, 1], 1e-6) - torch.logit(drivable[0, 0], 1e-6)
        return {
            "boxes": boxes[:, :4].numpy(),
            "classes": boxes[:, 5].numpy().astype(np.int64),
            "drivable": lead.sigmoid().numpy(),
            "lanes": lanes[0, 0].numpy(),
            "drivable_mask": drivable_decided.astype(bool),
            "lanes_mask": lanes_decided.astype(bool),
        }


def decode(maps: Sequence[Tensor], anchors: Sequence[Tensor]) -> Tensor:
    """Raw maps to ``[N, A, 5 + classes]``: centre, size, objectness and classes."""
    levels = []
    for raw, anchor, stride in zip(maps, anchors, _STRIDES, strict=True):
        n, channels, height, width = raw.shape
        p = raw.view(n, 3, channels // 3, height, width).permute(0, 1, 3, 4, 2).contiguous().sigmoid()
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        cells = torch.stack((columns, rows), 2).view(1, 1, height, width, 2).float()
        p[..., :2] = (p[..., :2] * 2 - 0.5 + cells) * stride
        p[..., 2:4] = (p[..., 2:4] * 2) ** 2 * anchor
        levels.append(p.view(n, -1, channels // 3))
    return torch.cat(levels, 1)


def suppress(candidates: Tensor) -> Tensor:
    """``[A, 5 + classes]`` to the boxes that stay, ``[n, 6]``: corners, confidence, class."""
    likely = candidates[candidates[:, 4] > _CONF]
    likely[:, 5:] *= likely[:, 4:5]
    confidence, classes = likely[:, 5:].max(1, keepdim=True)
    corners = torch.from_numpy(cxcywh_to_xyxy(likely[:, :4].numpy()))
    boxes = torch.cat((corners, confidence, classes.float()), 1)[confidence[:, 0] > _CONF]
    apart = boxes[:, :4] + boxes[:, 5:] * _CLASS_OFFSET
    kept = nms(apart.numpy(), boxes[:, 4].numpy(), None, _IOU, _MOST)
    return boxes[torch.from_numpy(kept)]


def drivable_mask(probability: Tensor) -> NDArray[Any]:
    """``[1, 2, 384, 640]`` to int ``[720, 1280]``."""
    inside = probability[:, :, _TOP:_BOTTOM, :]
    enlarged = F.interpolate(inside, scale_factor=2, mode="bilinear", align_corners=False)
    return enlarged.max(1).indices.int().squeeze().numpy()


def lane_mask(probability: Tensor) -> NDArray[Any]:
    """``[1, 1, 384, 640]`` to int ``[720, 1280]``."""
    inside = probability[:, :, _TOP:_BOTTOM, :]
    enlarged = F.interpolate(inside, scale_factor=2, mode="bilinear", align_corners=False)
    return enlarged.round().squeeze(1).int().squeeze().numpy()


def _letterbox(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """1280x720 to 640x384, grey above and below."""
    small = cv2.resize(image, (640, 360), interpolation=cv2.INTER_LINEAR)
    return cv2.copyMakeBorder(small, _TOP, _TOP, 0, 0, cv2.BORDER_CONSTANT, value=(114, 114, 114))
