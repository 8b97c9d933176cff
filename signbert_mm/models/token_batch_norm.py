"""Batch norm over the valid tokens alone."""

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


def set_sync(module: nn.Module, sync: bool) -> None:
    """Sets ``sync`` of every :class:`TokenBatchNorm` in ``module``."""
    for norm in module.modules():
        if isinstance(norm, TokenBatchNorm):
            norm.sync = sync


class _Normalize(torch.autograd.Function):
    """Normalises rows (R, C) by the statistics of those whose mask (R,) is 1, and sets the others to 0.

    It also returns mean, variance and number of those rows.
    """

    @staticmethod
    def forward(
        ctx, x: Tensor, mask: Tensor, weight: Tensor, bias: Tensor, eps: float, sync: bool
    ) -> Tuple[Tensor, ...]:
        # One reduction for sums and number.
        total = _sum_over_ranks(torch.cat([mask @ x, mask.sum()[None]]), sync)
        total_valid = total[-1]
        count = total_valid.clamp(min=1)
        mean = total[:-1] / count
        normed = x - mean
        # The variance is of the centred values: E[x^2] - E[x]^2 would lose digits.
        variance = _sum_over_ranks(mask @ normed.square(), sync) / count
        inverse = (variance + eps).rsqrt()
        normed.mul_(inverse).mul_(mask[:, None])
        ctx.save_for_backward(normed, mask, weight, inverse, count)
        ctx.sync = sync
        ctx.mark_non_differentiable(mean, variance, total_valid)
        return torch.addcmul(bias, normed, weight).mul_(mask[:, None]), mean, variance, total_valid

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor, *_: Tensor) -> Tuple[Optional[Tensor], ...]:
        normed, mask, weight, inverse, count = ctx.saved_tensors
        # The caller's autocast may still be on.
        with torch.autocast(grad.device.type, enabled=False):
            grad_weight, grad_bias = (grad * normed).sum(0), mask @ grad
        if not ctx.needs_input_grad[0]:
            return None, None, grad_weight, grad_bias, None, None
        scale = inverse * weight
        # Mean and variance depend on all rows, hence these two corrections to ``grad * scale``.
        by_weight, by_bias = (
            _sum_over_ranks(torch.stack([grad_weight, grad_bias]), ctx.sync) * (-scale / count)
        ).unbind(0)
        grad_x = torch.addcmul(by_bias, grad, scale).addcmul_(normed, by_weight).mul_(mask[:, None])
        return grad_x, None, grad_weight, grad_bias, None, None


class TokenBatchNorm(nn.Module):
    """Batch norm over the last axis by the statistics of the valid tokens; the others become 0.

    Without ``valid`` it is plain batch norm. A batch of one valid token gives the bias. A batch without any
    gives 0 and leaves the running statistics unchanged. It computes in float32 at least, also under autocast.

    It is no subclass of torch's batch norms. ``sync_bn`` in a config would replace those by a module without
    ``valid``. ``sync`` does the same for this class, and also runs on CPUs.
    :class:`SignOptimWrapperConstructor` counts it as a norm.

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
        """Normalises tokens.

        Args:
            x (Tensor): Shape (..., C).
            valid (Tensor, optional): Bool, broadcasts to the axes of ``x`` before the last; None = all.

        Returns:
            Tensor: Shape (..., C), 0 where not valid.
        """
        # (R, C)
        rows = x.flatten(0, -2).to(self.weight.dtype)
        if valid is not None:
            mask = valid.expand(x.shape[:-1]).reshape(-1).to(rows.dtype)
        statistics = self.running_mean, self.running_var, self.weight, self.bias
        if not self.training:
            out = F.batch_norm(rows, *statistics, False, 0.0, self.eps)
            out = out if valid is None else out * mask[:, None]
        elif valid is None and len(rows) > 1 and not _over_ranks(self.sync):
            # torch's own function needs half the time on a CPU.
            with torch.autocast(x.device.type, enabled=False):
                out = F.batch_norm(rows, *statistics, True, self.momentum, self.eps)
        else:
            mask = rows.new_ones(len(rows)) if valid is None else mask
            with torch.autocast(x.device.type, enabled=False):
                out, mean, variance, total_valid = _Normalize.apply(
                    rows, mask, self.weight, self.bias, self.eps, self.sync
                )
                self._update_running(mean, variance, total_valid)
        return out.reshape(x.shape).to(x.dtype)

    @torch.no_grad()
    def _update_running(self, mean: Tensor, variance: Tensor, total_valid: Tensor) -> None:
        """Updates the running statistics, with the unbiased variance as torch does."""
        # 0 in a batch without a valid token, and no branch that would wait for the device.
        share = self.momentum * (total_valid > 0)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * total_valid / (total_valid - 1).clamp(min=1), share)
