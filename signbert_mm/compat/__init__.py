"""Every workaround of an upstream fault, in one package.

Each function states the fault, its issue and the version at which it can go, and does nothing where the
fault is absent. Nothing is imported before it is used: ``import signbert_mm`` stays light. ``import_mmpose``
and ``import_mmaction`` apply what those packages need and import them.

Five workarounds are parts of the engine, since a config names them:

- ``SafeCheckpointHook``: a checkpoint with ``HistoryBuffer`` objects does not load with ``weights_only``
  (mmengine #1655), and mmengine's save is not atomic. Can go when mmengine packs its message hub and renames
  into place (not in 0.10.7).
- ``EpochSeedHook``, ``ResumableTrainLoop``: mmengine saves neither random state nor the place in the epoch.
  Can go when it does (not in 0.10.7).
- ``SignAmpOptimWrapper``: ``AmpOptimWrapper`` refuses the CPU (mmpretrain #1556). Can go when it picks by
  device (not in 0.10.7).
- ``SignFlexibleRunner``: ``FlexibleRunner`` loads a checkpoint before ``before_run``, in which hooks choose
  it, and its ``from_cfg`` leaves out ``compile``. Upstream: no issue found; can go when it does as ``Runner``
  (not in 0.10.7).
- ``SignFSDPStrategy``: ``FSDPStrategy`` has four faults. It passes ``FSDP.optim_state_dict_to_load`` its
  arguments in the order of torch 2.0, so resuming fails with 2.1 and newer. It passes FSDP the number of a
  GPU even on the CPU. It clips gradients by each shard's own norm. It writes checkpoints in place. Torch has
  a fault, too (seen in 2.13): a full state dict with ``offload_to_cpu`` of a model on the CPU reads freed
  memory and ends the process, so the option is off on the CPU. Upstream: no issue found; can go when mmengine
  corrects all of it (not in 0.10.7) and torch clones the tensors.
"""

from .machine import keep_large_blocks, patch_inductor_cache
from .mmengine import (
    cpu_wrapper_cfg,
    init_cpu_group,
    log_state_differences,
    patch_checkpoint_loading,
    refuse_unknown_optimizer,
)
from .openmmlab import (
    INSTALL_OPENMMLAB,
    NO_DEPS_OPENMMLAB,
    import_foreign_scopes,
    import_mmaction,
    import_mmpose,
    mmcv_ops_are_stubs,
    patch_mmaction_drn,
    patch_mmcv_ops,
    patch_mmpose_simcc,
    patch_rtmpose_config,
    patch_torchvision_ops,
)

__all__ = [
    'INSTALL_OPENMMLAB',
    'NO_DEPS_OPENMMLAB',
    'cpu_wrapper_cfg',
    'import_foreign_scopes',
    'import_mmaction',
    'import_mmpose',
    'init_cpu_group',
    'keep_large_blocks',
    'log_state_differences',
    'mmcv_ops_are_stubs',
    'patch_checkpoint_loading',
    'patch_inductor_cache',
    'patch_mmaction_drn',
    'patch_mmcv_ops',
    'patch_mmpose_simcc',
    'patch_rtmpose_config',
    'patch_torchvision_ops',
    'refuse_unknown_optimizer',
]
