"""All losses of a batch: sums first, which add up over frames and processes, then what is minimised."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from yolopv2.errors import YolopError
from yolopv2.network import Outputs
from yolopv2.training.loader import Batch
from yolopv2.training.losses import masks
from yolopv2.training.losses.detection import Assigner, DetectionSums, assign, detection_sums
from yolopv2.training.losses.instances import instance_sums

TASKS = {
    "detection": ("box", "objectness", "classes"),
    "drivable": ("drivable",),
    "lanes": ("lane_focal", "lane_dice", "lane_iou", "lane_tversky"),
    "masks": ("mask", "mask_projection", "mask_pairwise"),
}
"""The losses of each head."""


@dataclass(frozen=True)
class LossConfig:
    """What is minimised: the weight of each loss, and its form.

    The defaults balance losses in the normalisation of this program: boxes per positive anchor, masks per labelled
    pixel. The release's lane dice and IoU weigh 0.2 each, in a sum in which boxes weigh less as well.

    Attributes:
        box: Weight of CIoU, per positive.
        objectness: Weight of cross-entropy over all anchors, per positive.
        classes: Weight of cross-entropy over the classes, per positive.
        drivable: Weight of cross-entropy, per labelled pixel.
        lane_focal: Weight of focal loss, per labelled pixel; its numbers are small.
        lane_dice: Weight of soft dice over the batch.
        lane_iou: Weight of soft IoU over the batch.
        lane_tversky: Weight of Tversky loss over the batch, which prizes found markings above false ones; 0 is off.
        mask: Weight of cross-entropy of instance masks, per positive, the mean over its box; of objects with a mask.
            The default is YOLACT's (arXiv 1904.02689).
        mask_projection: Weight of BoxInst's projection term (arXiv 2012.02310), per positive, of objects that have no
            mask but a box; 0 is off.
        mask_pairwise: Weight of its pairwise term, which takes neighbours of like colour for one; 0 is off.
        mask_warmup: Steps over which the pairwise term's weight rises from 0; the default is the paper's.
        assigner: ``simota`` or ``anchors``: which anchors answer for an object.
        detection_gamma: Focus of objectness and class; 0 is plain cross-entropy, the paper uses focal loss.
        lane_gamma: Focus of the lane focal loss.
        lane_alpha: Weight of marking pixels in it, in 0..1.
        uncertainty: Whether the balance of the tasks is learned (arXiv 1705.07115) on top of the weights.
    """

    box: float = 1.5
    objectness: float = 1.0
    classes: float = 0.3
    drivable: float = 1.0
    lane_focal: float = 4.0
    lane_dice: float = 0.5
    lane_iou: float = 0.5
    lane_tversky: float = 0.0
    mask: float = 6.125
    mask_projection: float = 1.0
    mask_pairwise: float = 1.0
    mask_warmup: int = 10000
    assigner: Assigner = "simota"
    detection_gamma: float = 0.0
    lane_gamma: float = 2.0
    lane_alpha: float = 0.75
    uncertainty: bool = False

    def __post_init__(self) -> None:
        others = ["detection_gamma", "lane_gamma", "mask_warmup"]
        for name in [loss for losses in TASKS.values() for loss in losses] + others:
            if not 0 <= getattr(self, name) < float("inf"):
                raise YolopError(f"loss.{name} must not be negative, not {getattr(self, name)}")
        if not 0 <= self.lane_alpha <= 1:
            raise YolopError(f"loss.lane_alpha is a share in 0..1, not {self.lane_alpha}")


def loss_sums(out: Outputs, batch: Batch, anchors: Tensor, config: LossConfig) -> dict[str, Tensor]:
    """Sums over the frames of a batch; those of two halves of a batch add up to those of the whole.

    Args:
        out: What the network says of the batch.
        batch: On the network's device.
        anchors: ``[3, 3, 2]`` in pixels.
        config: The form of the losses.

    Returns:
        Scalars by name, of the heads that the network has.
    """
    sums: dict[str, Tensor] = {}
    drivable, drivable_weight, lanes, lanes_weight = (batch.maps.float() / 255).unbind(1)
    if out.detections is not None:
        found = assign(out.detections, batch.targets, anchors, config.assigner)
        boxes = detection_sums(out.detections, batch.targets, anchors, batch.labelled, found, config.detection_gamma)
        sums |= boxes._asdict()
        if out.masks is not None:
            from_boxes = bool(config.mask_projection or config.mask_pairwise)
            sums |= instance_sums(out.masks, found, batch.targets, batch.instances, batch.images, from_boxes)._asdict()
    if out.drivable is not None:
        pixels = masks.drivable_cross_entropy(out.drivable, drivable, drivable_weight)
        sums |= {"drivable": pixels.loss, "drivable_weight": pixels.weight}
    if out.lanes is not None:
        logits = out.lanes[:, 0].float()
        pixels = masks.lane_focal(logits, lanes, lanes_weight, config.lane_gamma, config.lane_alpha)
        overlap = masks.overlap_sums(logits, lanes, lanes_weight)
        sums |= {"lane_focal": pixels.loss, "lane_weight": pixels.weight, **overlap._asdict()}
    return sums


def losses_of(sums: dict[str, Tensor], config: LossConfig, step: int | None = None) -> dict[str, Tensor]:
    """The weighted losses of the heads that have sums; what is minimised is their sum.

    Args:
        sums: Of all frames of a step, as `loss_sums` gives them.
        config: Weights.
        step: Steps taken before this one, which say how far the warm-up is; None when it is over.
    """
    losses: dict[str, Tensor] = {}
    if "box" in sums:
        norm = sums["positives"].clamp(min=1)
        losses |= {name: getattr(config, name) * sums[name] / norm for name in DetectionSums._fields[:3]}
    if "drivable" in sums:
        losses["drivable"] = config.drivable * sums["drivable"] / sums["drivable_weight"].clamp(min=1)
    if "lane_focal" in sums:
        overlap = masks.OverlapSums(*(sums[name] for name in masks.OverlapSums._fields))
        losses |= {
            "lane_focal": config.lane_focal * sums["lane_focal"] / sums["lane_weight"].clamp(min=1),
            "lane_dice": config.lane_dice * masks.dice_loss(overlap),
            "lane_iou": config.lane_iou * masks.iou_loss(overlap),
        }
        if config.lane_tversky:
            losses["lane_tversky"] = config.lane_tversky * masks.tversky_loss(overlap)
    if "mask" in sums:
        masked, boxed = (sums[name].clamp(min=1) for name in ("mask_count", "mask_boxes"))
        risen = 1.0 if step is None or step >= config.mask_warmup else step / config.mask_warmup
        losses |= {
            "mask": config.mask * sums["mask"] / masked,
            "mask_projection": config.mask_projection * sums["mask_projection"] / boxed,
            "mask_pairwise": risen * config.mask_pairwise * sums["mask_pairwise"] / boxed,
        }
    return losses


class TaskUncertainty(nn.Module):
    """Learned balance of the tasks (arXiv 1705.07115): ``sum exp(-s) L + s / 2`` with s the log variance of a task."""

    def __init__(self) -> None:
        super().__init__()
        self.log_variance = nn.ParameterDict({task: nn.Parameter(torch.zeros(())) for task in TASKS})

    def forward(self, losses: dict[str, Tensor]) -> Tensor:
        """The total of some losses, those of one task weighed alike."""
        terms = []
        for task, names in TASKS.items():
            if present := [losses[name] for name in names if name in losses]:
                s = self.log_variance[task]
                terms.append(torch.exp(-s) * torch.stack(present).sum() + s / 2)
        return torch.stack(terms).sum()
