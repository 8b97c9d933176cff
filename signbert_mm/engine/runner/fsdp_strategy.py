"""FSDP: parameters, gradients and optimizer state in shards, one a process, for large models."""

import copy
import time
from typing import Any, Callable, Dict, Optional, Sequence, Set

import mmengine
import torch
from mmengine._strategy import FSDPStrategy
from mmengine.device import get_device
from mmengine.dist import is_distributed, is_main_process
from mmengine.optim import BaseOptimWrapper
from mmengine.registry import FUNCTIONS as ROOT_FUNCTIONS
from mmengine.runner.checkpoint import save_checkpoint
from torch import nn
from torch.distributed.fsdp import FullyShardedDataParallel

from ...errors import ConfigError
from ...registry import FUNCTIONS, STRATEGIES
from ..checkpoint_io import ATOMIC_BACKEND


# mmengine looks policies up in its own registry, whatever the scope.
@ROOT_FUNCTIONS.register_module()
@FUNCTIONS.register_module()
def wrap_layers(
    module: nn.Module,
    recurse: bool,
    nonwrapped_numel: int,
    classes: Sequence[str] = ('TransformerEncoderLayer',),
) -> bool:
    """FSDP's policy by name: each module of these classes is a unit, the rest is the root's unit.

    A unit's parameters are gathered while it computes.

    Args:
        module (Module): The module in question.
        recurse (bool): Whether FSDP asks to look inside it, else whether it is a unit.
        nonwrapped_numel (int): Its parameters that no unit has; not used.
        classes (Sequence[str]): Names of classes or of their bases, without modules.
    """
    return recurse or bool(_names(module) & set(classes))


def _names(module: nn.Module) -> Set[str]:
    return {kind.__name__ for kind in type(module).__mro__}


def skeleton(model: nn.Module) -> nn.Module:
    """A copy without numbers: parameters and buffers of the same names and shapes, on the meta device."""
    # deepcopy takes these for copies that it has made already.
    memo: Dict[int, Any] = {
        id(parameter): nn.Parameter(parameter.detach().to('meta'), requires_grad=parameter.requires_grad)
        for parameter in model.parameters()
    }
    memo.update((id(buffer), buffer.detach().to('meta')) for buffer in model.buffers())
    return copy.deepcopy(model, memo)


@STRATEGIES.register_module(name=['SignFSDPStrategy', 'FSDPStrategy'])
class SignFSDPStrategy(FSDPStrategy):
    """mmengine's ``FSDPStrategy``, repaired (see :mod:`signbert_mm.compat`), for GPUs and, with gloo, CPUs.

    Within this project's scope it has the name ``FSDPStrategy`` too. A checkpoint is one file of full
    tensors, written atomically by the first process. It loads into any number of processes, and its weights
    load without FSDP. Use it with ``runner_type='FlexibleRunner'`` and several processes. For mixed precision
    use ``SignAmpOptimWrapper`` (bfloat16): FSDP's own ``mixed_precision`` would round the coordinates too.

    Args:
        model_wrapper (dict, optional): Arguments of ``MMFullyShardedDataParallel``, for instance
            ``auto_wrap_policy=dict(type='wrap_layers', classes=[..])``, see :func:`wrap_layers`; without a
            policy the whole model is one unit, which saves memory between steps only.
        state_dict_cfg (str): 'full', the one kind that this project's checkpoint hooks read.
        **kwargs: Those of mmengine's ``FSDPStrategy``.

    Raises:
        ConfigError: There is no launcher, ``state_dict_cfg`` is not 'full', or a policy's classes are not in
            the model.
    """

    def __init__(
        self, *, model_wrapper: Optional[dict] = None, state_dict_cfg: str = 'full', **kwargs: Any
    ) -> None:
        if state_dict_cfg != 'full':
            raise ConfigError(
                f"strategy.state_dict_cfg is {state_dict_cfg!r}; use 'full': hooks and tools "
                'read whole tensors in one file'
            )
        wrapper = dict(copy.deepcopy(model_wrapper) or {})
        wrapper.setdefault('type', 'MMFullyShardedDataParallel')
        super().__init__(model_wrapper=wrapper, state_dict_cfg='full', **kwargs)
        if not is_distributed():
            raise ConfigError(
                'FSDPStrategy needs processes: start with tools/dist_train.sh CONFIG PROCESSES (1 will do), '
                'srun or mpirun'
            )
        if get_device() == 'cpu':
            self.state_dict_config.offload_to_cpu = self.optim_state_dict_config.offload_to_cpu = False

    def _wrap_model(self, model: nn.Module) -> nn.Module:
        self.skeleton = skeleton(model)
        policy = self.model_wrapper.get('auto_wrap_policy')
        classes = (
            policy.get('classes', ('TransformerEncoderLayer',))
            if isinstance(policy, dict) and policy.get('type') == 'wrap_layers'
            else ()
        )
        missing = set(classes).difference(*map(_names, model.modules()))
        if missing:
            raise ConfigError(
                f'strategy.model_wrapper.auto_wrap_policy: {sorted(missing)} not in {type(model).__name__}, '
                'so nothing of it is split'
            )
        if get_device() == 'cpu':
            self.model_wrapper.setdefault('device_id', torch.device('cpu'))
        return super()._wrap_model(model)

    def build_optim_wrapper(self, optim_wrapper: Any, model: Optional[nn.Module] = None) -> BaseOptimWrapper:
        """As mmengine's; gradients are clipped by the norm over all shards.

        Raises:
            ConfigError: float16, whose gradient scaler would see one shard.
        """
        if isinstance(optim_wrapper, dict) and optim_wrapper.get('type') == 'AmpOptimWrapper':
            optim_wrapper = dict(optim_wrapper, type='SignAmpOptimWrapper')
        wrapper = super().build_optim_wrapper(optim_wrapper, model)
        scaler = getattr(wrapper, 'loss_scaler', None)
        if scaler is not None and scaler.is_enabled():
            raise ConfigError("optim_wrapper.dtype='float16' does not go with FSDPStrategy; use 'bfloat16'")
        if (
            getattr(wrapper, 'clip_grad_kwargs', None)
            and getattr(wrapper, 'clip_func', None) is nn.utils.clip_grad_norm_
        ):
            wrapper.clip_func = lambda parameters, max_norm, norm_type=2.0: model.clip_grad_norm_(
                max_norm, norm_type
            )
        return wrapper

    def optim_state_dict(self) -> dict:
        """Full tensors by parameter name in the first process, {} in the others."""
        return FullyShardedDataParallel.optim_state_dict(self.model, self.optim_wrapper.optimizer)

    def load_optim_state_dict(self, state_dict: dict) -> None:
        """Loads the result of :meth:`optim_state_dict`, needed in the first process at least."""
        optimizer = self.optim_wrapper.optimizer
        self.optim_wrapper.load_state_dict(
            FullyShardedDataParallel.optim_state_dict_to_load(self.model, optimizer, state_dict)
        )

    def save_checkpoint(
        self,
        filename: str,
        *,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        extra_ckpt: Optional[dict] = None,
        callback: Optional[Callable] = None,
    ) -> None:
        """As mmengine's; every process takes part, the first one writes."""
        checkpoint: Dict[str, Any] = dict(state_dict=self.model_state_dict())
        if save_optimizer and hasattr(self, 'optim_wrapper'):
            checkpoint['optimizer'] = self.optim_state_dict()
        if save_param_scheduler and hasattr(self, 'param_schedulers'):
            checkpoint['param_schedulers'] = self.scheduler_state_dict()
        checkpoint.update(extra_ckpt or {})
        facts = dict(
            seed=self.seed, time=time.strftime('%Y%m%d_%H%M%S'), mmengine_version=mmengine.__version__
        )
        checkpoint['meta'] = dict(checkpoint.get('meta') or {}, **facts)
        if callback is not None:
            callback(checkpoint)
        if is_main_process():
            save_checkpoint(checkpoint, filename, backend_args=dict(backend=ATOMIC_BACKEND))
