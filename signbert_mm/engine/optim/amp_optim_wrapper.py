"""Mixed precision on any device."""

from contextlib import contextmanager
from typing import Optional, Union

import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import nn

from ...errors import UserValueError
from ...registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module(name=['SignAmpOptimWrapper', 'AmpOptimWrapper'])
class SignAmpOptimWrapper(AmpOptimWrapper):
    """mmengine's ``AmpOptimWrapper`` for CPU as well as CUDA.

    Within this project's scope it has the name ``AmpOptimWrapper`` too. It uses bfloat16 if the device has it
    (CPU, Ampere and newer), else float16 with a gradient scaler (CUDA only).

    Args:
        dtype (str | torch.dtype, optional): 'bfloat16' or 'float16'; None picks by device.
        loss_scale (str | float | dict): The gradient scaler's, for float16: 'dynamic', a fixed scale, or
            ``GradScaler`` arguments.
        **kwargs: Those of ``OptimWrapper``.

    Raises:
        ValueError: float16 on the CPU, or another dtype.
    """

    def __init__(
        self,
        dtype: Optional[Union[str, torch.dtype]] = None,
        loss_scale: Union[str, float, dict] = 'dynamic',
        **kwargs: object,
    ) -> None:
        # Not AmpOptimWrapper's, which asserts that there is a GPU.
        OptimWrapper.__init__(self, **kwargs)
        self.device_type = next(
            p.device.type for group in self.optimizer.param_groups for p in group['params']
        )
        if isinstance(dtype, str):
            dtype = {'bfloat16': torch.bfloat16, 'float16': torch.float16}.get(dtype, dtype)
        if dtype is None:
            half = self.device_type == 'cuda' and not torch.cuda.is_bf16_supported()
            dtype = torch.float16 if half else torch.bfloat16
        if dtype not in (torch.bfloat16, torch.float16):
            raise UserValueError(
                f"optim_wrapper.dtype must be 'bfloat16' or 'float16' (or None: by device), got {dtype!r}"
            )
        if dtype is torch.float16 and self.device_type != 'cuda':
            raise UserValueError(
                f"optim_wrapper.dtype='float16' needs a CUDA device and the model is on {self.device_type}; "
                "use 'bfloat16' or leave it out"
            )
        self.cast_dtype = dtype
        self._scale_update_param = loss_scale if isinstance(loss_scale, float) else None
        scaling = dict(loss_scale) if isinstance(loss_scale, dict) else {}
        if isinstance(loss_scale, float):
            scaling['init_scale'] = loss_scale
        elif loss_scale != 'dynamic' and not isinstance(loss_scale, dict):
            raise UserValueError(
                f"optim_wrapper.loss_scale must be 'dynamic', a float or a dict, got {loss_scale!r}"
            )
        scaling.setdefault('enabled', dtype is torch.float16)
        self.loss_scaler = torch.amp.GradScaler(self.device_type, **scaling)

    def load_state_dict(self, state_dict: dict) -> None:
        # On the CPU or in bfloat16 the saved scaler is empty, which torch's scaler refuses.
        if not state_dict.get('loss_scaler'):
            state_dict = {key: value for key, value in state_dict.items() if key != 'loss_scaler'}
        super().load_state_dict(state_dict)

    @contextmanager
    def optim_context(self, model: nn.Module):
        with OptimWrapper.optim_context(self, model), torch.autocast(self.device_type, dtype=self.cast_dtype):
            yield
