"""Settings of the optimizer for each kind of parameter."""

from typing import List, Optional, Union

from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from ...models.token_batch_norm import TokenBatchNorm
from ...registry import OPTIM_WRAPPER_CONSTRUCTORS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module(
    name=['SignOptimWrapperConstructor', 'DefaultOptimWrapperConstructor']
)
class SignOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """mmengine's constructor, for which :class:`TokenBatchNorm` is a norm too.

    Within this project's scope it has the name ``DefaultOptimWrapperConstructor`` too, so it is the default.
    ``paramwise_cfg=dict(norm_decay_mult=0.)`` then reaches every norm.
    """

    def add_params(
        self,
        params: List[dict],
        module: nn.Module,
        prefix: str = '',
        is_dcn_module: Optional[Union[int, float]] = None,
    ) -> None:
        if isinstance(module, TokenBatchNorm):
            # mmengine knows norms by their class. This one stands in, with the same parameters.
            norm = nn.BatchNorm1d(module.channels, device='meta')
            norm._parameters = module._parameters
            module = norm
        super().add_params(params, module, prefix, is_dcn_module)
