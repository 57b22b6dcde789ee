"""Several processes that train one network: what they exchange beside gradients."""

from collections.abc import Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.autograd import Function

T = TypeVar("T")


def world_size() -> int:
    """How many processes there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """This process's number; 0 writes the files."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def gather(values: Sequence[T]) -> list[T]:
    """The values of all processes, those of the first one first."""
    if world_size() == 1:
        return list(values)
    gathered: list[Any] = [None] * world_size()
    distributed.all_gather_object(gathered, list(values))
    return [value for each in gathered for value in each]


def equalise(network: nn.Module) -> None:
    """Gives a network the tensors it has in the first process."""
    if world_size() > 1:
        for tensor in network.state_dict().values():
            distributed.broadcast(tensor, 0)


class _SumOverProcesses(Function):
    """All-reduce whose gradient is one as well: each process's loss is a function of every process's values."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        distributed.all_reduce(total)
        return total


def sum_over_processes(sums: dict[str, Tensor]) -> dict[str, Tensor]:
    """Scalars summed over all processes, in one exchange, differentiably.

    With gradients averaged over the processes afterwards, losses of these sums train exactly as one process with the
    whole batch would: dice and IoU losses are no means over frames.

    Args:
        sums: Scalars by name, the same names in every process.
    """
    if world_size() == 1:
        return sums
    total = _SumOverProcesses.apply(torch.stack([value.float() for value in sums.values()]))
    return dict(zip(sums, total.unbind(), strict=True))


class SyncBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation over the frames of all processes, on any device; PyTorch's own needs a GPU.

    The same parameters and buffers as `torch.nn.BatchNorm2d`; in evaluation mode, and in one process, it is that.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or world_size() == 1:
            return super().forward(input)
        x = input.to(torch.promote_types(input.dtype, torch.float32))
        local = torch.cat([x.sum((0, 2, 3)), x.new_tensor([x.numel() / x.shape[1]])])
        total = _SumOverProcesses.apply(local)
        count = total[-1].detach()
        mean = total[:-1] / count
        # Not from the squares' sum, in which small variances would drown.
        centred = x - mean[:, None, None]
        variance = _SumOverProcesses.apply(centred.square().sum((0, 2, 3))) / count
        self._follow(mean.detach(), (variance * count / (count - 1)).detach())
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(input.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked += 1


def synchronise_norms(network: nn.Module) -> None:
    """Replaces batch normalisations, in place, by ones over all processes; weights and their names stay the same."""
    for parent in network.modules():
        for name, child in parent.named_children():
            if type(child) is nn.BatchNorm2d:
                twin = SyncBatchNorm2d(child.num_features, eps=child.eps, momentum=child.momentum)
                twin.load_state_dict(child.state_dict())
                setattr(parent, name, twin.to(child.weight.device, child.weight.dtype))
