"""Losses reach the log without a wait at every step."""

from typing import Dict, List, Optional

import torch
from mmengine.hooks import RuntimeInfoHook
from mmengine.utils import apply_to
from torch import Tensor

from ...errors import UserValueError
from ...registry import HOOKS


@HOOKS.register_module()
class DeferredLossHook(RuntimeInfoHook):
    """mmengine's ``RuntimeInfoHook`` reads every loss back from the device at every step, so that the next
    one waits: this one keeps them there and
    reads those of ``interval`` steps at once.

    The log is the same as long as its interval is a multiple of this one; checkpoints have all losses at any
    interval. Turn it on with ``--cfg-options default_hooks.runtime_info.type=DeferredLossHook``.
    (``clip_grad`` in the optimizer wrapper waits at every step too: mmengine logs the norm.)

    Args:
        interval (int): Steps between two readings.

    Raises:
        ValueError: ``interval`` is below 1.
    """

    def __init__(self, interval: int = 10) -> None:
        super().__init__()
        if interval < 1:
            raise UserValueError(f'DeferredLossHook: interval must be at least 1, got {interval}')
        self.interval = interval
        self._kept: Dict[str, List[Tensor]] = {}

    def after_train_iter(
        self, runner, batch_idx: int, data_batch: Optional[dict] = None, outputs: Optional[dict] = None
    ) -> None:
        for name, value in (outputs or {}).items():
            if isinstance(value, Tensor):
                self._kept.setdefault(name, []).append(value.detach())
            else:
                runner.message_hub.update_scalar(f'train/{name}', value)
        last = self.end_of_epoch(runner.train_dataloader, batch_idx) or self.is_last_train_iter(runner)
        if last or self.every_n_inner_iters(batch_idx, self.interval):
            self._read(runner)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """The checkpoint's copy of the message hub, made before this, gets the losses that were waiting."""
        if self._kept:
            self._read(runner)
            checkpoint['message_hub'] = apply_to(
                runner.message_hub.state_dict(),
                lambda value: hasattr(value, 'cpu'),
                lambda value: value.cpu(),
            )

    def _read(self, runner) -> None:
        for name, values in self._kept.items():
            for value in torch.stack([value.float().reshape(()) for value in values]).tolist():
                runner.message_hub.update_scalar(f'train/{name}', value)
        self._kept = {}
