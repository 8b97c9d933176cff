"""Batch norm that leaves out the tokens that are not there."""

from typing import Optional, Tuple

import torch
from torch import Tensor, distributed, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def _over_ranks(sync: bool) -> bool:
    return sync and distributed.is_available() and distributed.is_initialized()


def _sum_over_ranks(values: Tensor, sync: bool) -> Tensor:
    if _over_ranks(sync):
        distributed.all_reduce(values)
    return values


class _Normalize(torch.autograd.Function):
    """Rows (R, C), weights (R,) of 0 and 1 -> normalised rows, 0 where the weight is 0; also mean, variance
    and count of those that are there.
    """

    @staticmethod
    def forward(
        ctx, x: Tensor, there: Tensor, weight: Tensor, bias: Tensor, eps: float, sync: bool
    ) -> Tuple[Tensor, ...]:
        total = _sum_over_ranks(torch.cat([there @ x, there.sum()[None]]), sync)
        found = total[-1]
        count = found.clamp(min=1)
        mean = total[:-1] / count
        normed = x - mean
        variance = _sum_over_ranks(there @ normed.square(), sync) / count
        inverse = (variance + eps).rsqrt()
        normed.mul_(inverse).mul_(there[:, None])
        ctx.save_for_backward(normed, there, weight, inverse, count)
        ctx.sync = sync
        ctx.mark_non_differentiable(mean, variance, found)
        return torch.addcmul(bias, normed, weight).mul_(there[:, None]), mean, variance, found

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor, *_: Tensor) -> Tuple[Optional[Tensor], ...]:
        normed, there, weight, inverse, count = ctx.saved_tensors
        with torch.autocast(grad.device.type, enabled=False):  # a caller's, if it is still on
            grad_weight, grad_bias = (grad * normed).sum(0), there @ grad
        if not ctx.needs_input_grad[0]:
            return None, None, grad_weight, grad_bias, None, None
        scale = inverse * weight
        by_weight, by_bias = (
            _sum_over_ranks(torch.stack([grad_weight, grad_bias]), ctx.sync) * (-scale / count)
        ).unbind(0)
        grad_x = torch.addcmul(by_bias, grad, scale).addcmul_(normed, by_weight).mul_(there[:, None])
        return grad_x, None, grad_weight, grad_bias, None, None


class TokenBatchNorm(nn.Module):
    """Batch norm over the last axis whose statistics are those of the valid tokens; the others become 0.

    Without ``valid`` it is plain batch norm. A batch of one valid token gives the bias; one of none gives 0
    and leaves the running statistics as they are.

    It is not one of torch's batch norms, so that ``sync_bn`` in a config, which would replace it by a module
    that knows no ``valid``, passes it by; ``sync`` is its own, and also runs on CPUs. In single precision at
    least, under autocast too.

    Args:
        channels (int): Size of the last axis.
        eps (float): Added to the variance.
        momentum (float): Share of a batch in the running statistics.
        sync (bool): Statistics over the tokens of all ranks, by two small reductions each way.
    """

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1, sync: bool = False) -> None:
        super().__init__()
        self.channels, self.eps, self.momentum, self.sync = channels, eps, momentum, sync
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer('running_mean', torch.zeros(channels))
        self.register_buffer('running_var', torch.ones(channels))

    def extra_repr(self) -> str:
        return f'{self.channels}, eps={self.eps}, momentum={self.momentum}, sync={self.sync}'

    def forward(self, x: Tensor, valid: Optional[Tensor] = None) -> Tensor:
        """Normalises.

        Args:
            x (Tensor): Shape (..., C).
            valid (Tensor, optional): Bool, broadcasts to the axes of ``x`` before the last; None = all.

        Returns:
            Tensor: Shape (..., C), 0 where not valid.
        """
        rows = x.flatten(0, -2).to(self.weight.dtype)
        if valid is not None:
            there = valid.expand(x.shape[:-1]).reshape(-1).to(rows.dtype)
        if not self.training:
            out = F.batch_norm(
                rows, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
            )
            out = out if valid is None else out * there[:, None]
        elif valid is None and len(rows) > 1 and not _over_ranks(self.sync):
            # torch's own: half the time on a CPU
            with torch.autocast(x.device.type, enabled=False):
                out = F.batch_norm(
                    rows,
                    self.running_mean,
                    self.running_var,
                    self.weight,
                    self.bias,
                    True,
                    self.momentum,
                    self.eps,
                )
        else:
            there = rows.new_ones(len(rows)) if valid is None else there
            with torch.autocast(x.device.type, enabled=False):
                out, mean, variance, found = _Normalize.apply(
                    rows, there, self.weight, self.bias, self.eps, self.sync
                )
                self._follow(mean, variance, found)
        return out.reshape(x.shape).to(x.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, found: Tensor) -> None:
        """Moves the running statistics, by the unbiased variance as torch does."""
        share = self.momentum * (found > 0)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * found / (found - 1).clamp(min=1), share)
