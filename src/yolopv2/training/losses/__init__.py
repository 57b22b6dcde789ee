"""The losses of the tasks: sums over frames that add up across processes, and what is minimised of them.

Every loss is computed from logits, in a function with its formula and source: boxes in `detection`, masks of the whole
frame in `masks`, masks of instances in `instances`.
"""

from yolopv2.training.losses.total import LossConfig, TaskUncertainty, loss_sums, losses_of

__all__ = ["LossConfig", "TaskUncertainty", "loss_sums", "losses_of"]
