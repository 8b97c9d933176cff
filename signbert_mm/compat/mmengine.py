"""Faults of mmengine: loading of checkpoints, unknown optimizers, processes without a GPU."""

import os
import subprocess
from typing import Any, Dict

from ..errors import UserKeyError, UserRuntimeError, UserValueError


def patch_checkpoint_loading() -> bool:
    """Sends mmengine's loading through :func:`signbert_mm.engine.load_checkpoint_file`.

    That function executes nothing. mmengine reads local checkpoints with torch's default. It reads those from
    the web through ``torch.utils.model_zoo.load_url`` with ``weights_only=False``, which executes what they
    hold. Its runners also execute ``meta['config']`` of a checkpoint that they resume from
    (``Config.fromstring``), so that text is left out of whatever is loaded.

    Upstream: mmengine #1655, PR #1650; can go when mmengine passes ``weights_only=True`` everywhere and
    parses ``meta['config']`` as data (not in 0.10.7). Returns whether it was needed.
    """
    from mmengine.runner import checkpoint as loading

    from ..files.checkpoints import drop_config_text, load_checkpoint_file

    # The marker says that an earlier call has replaced the functions.
    if getattr(loading.load_from_local, 'weights_only', False):
        return False

    def load_from_local(filename: str, map_location: Any = None) -> Dict[str, Any]:
        return load_checkpoint_file(filename, map_location)

    def load_from_http(
        filename: str, map_location: Any = None, model_dir: Any = None, progress: bool = False
    ) -> Dict[str, Any]:
        return load_checkpoint_file(_download(filename, model_dir, progress), map_location)

    load_by_scheme = loading.CheckpointLoader.load_checkpoint.__func__

    def load_checkpoint(
        cls: Any, filename: str, map_location: Any = None, logger: Any = 'current'
    ) -> Dict[str, Any]:
        return drop_config_text(load_by_scheme(cls, filename, map_location, logger or 'current'))

    load_from_local.weights_only = True
    loading.CheckpointLoader.load_checkpoint = classmethod(load_checkpoint)
    loading.load_from_local, loading.load_from_http = load_from_local, load_from_http
    # The loader keeps its own table of functions by address, so both places must change.
    loading.CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)
    loading.CheckpointLoader.register_scheme(
        prefixes=['http://', 'https://'], loader=load_from_http, force=True
    )
    return True


def log_state_differences() -> bool:
    """Sends what mmengine says of a state dict that fits in part to the logger, with the logger's level.

    Its runners load with ``logger=None``, which prints: past the log file, ``log_level`` and the filter of
    ``LoadReportHook``. Each fine-tuning then said that model and checkpoint "do not match exactly".

    Upstream: no issue found; can go when the runners pass their logger (not in 0.10.7). Returns whether it
    was needed.
    """
    from mmengine.runner import checkpoint as loading

    load = loading.load_state_dict
    if getattr(load, 'logs', False):
        return False

    def load_state_dict(module: Any, state_dict: Any, strict: bool = False, logger: Any = None) -> None:
        load(module, state_dict, strict, logger or 'current')

    load_state_dict.logs = True
    loading.load_state_dict = load_state_dict
    return True


def _download(url: str, model_dir: Any, progress: bool) -> str:
    """The local copy of ``url`` in torch's hub folder; the first process of each machine fetches it."""
    import torch
    from mmengine.dist import barrier, get_local_rank

    folder = model_dir or os.path.join(torch.hub.get_dir(), 'checkpoints')
    path = os.path.join(folder, os.path.basename(url.split('?')[0]))
    if get_local_rank() == 0 and not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        # The start of the file's SHA-256, in names like ``model-1a2b3c4d.pth``. The download is checked.
        prefix = torch.hub.HASH_REGEX.search(os.path.basename(path))
        torch.hub.download_url_to_file(url, path, prefix.group(1) if prefix else None, progress=progress)
    barrier()
    return path


def refuse_unknown_optimizer() -> bool:
    """Makes an unknown optimizer type raise the ``KeyError`` of every other unknown type.

    mmengine's ``DefaultOptimWrapperConstructor`` does not check the type that it looks up, and an unknown one
    ends in ``TypeError: None is not a callable object``.

    Upstream: no issue found; can go when mmengine checks (not in 0.10.7). Returns whether it was needed.
    """
    from mmengine.optim import DefaultOptimWrapperConstructor as Constructor
    from mmengine.registry import OPTIMIZERS

    build = Constructor.__call__
    if getattr(build, 'checks_type', False):
        return False

    def build_checked(self: Any, model: Any) -> Any:
        name = self.optimizer_cfg['type']
        with OPTIMIZERS.switch_scope_and_registry(None) as registry:
            if isinstance(name, str) and registry.get(name) is None:
                raise UserKeyError(f'{name} is not in the {registry.scope}::{registry.name} registry')
        return build(self, model)

    build_checked.checks_type = True
    Constructor.__call__ = build_checked
    return True


def init_cpu_group(launcher: str) -> None:
    """Starts the gloo group of processes without a GPU, from the launcher's environment.

    mmengine's ``init_dist`` calls ``torch.cuda.set_device`` whatever the backend (``no attribute
    '_cuda_setDevice'``). It leaves an existing group alone, so this one stays.

    Upstream: no issue found; can go when ``init_dist`` skips CUDA for gloo (not in 0.10.7).

    Args:
        launcher (str): 'pytorch' (torchrun), 'slurm' or 'mpi'.
    """
    import torch.distributed as dist

    if dist.is_initialized():
        return
    if launcher == 'slurm':
        env = dict(
            RANK=os.environ['SLURM_PROCID'],
            WORLD_SIZE=os.environ['SLURM_NTASKS'],
            LOCAL_RANK=os.environ.get('SLURM_LOCALID', '0'),
        )
        if 'MASTER_ADDR' not in os.environ:
            names = subprocess.check_output(
                ['scontrol', 'show', 'hostnames', os.environ['SLURM_NODELIST']], text=True
            )
            # All tasks must agree on one address: the first node's.
            env['MASTER_ADDR'] = names.split()[0]
    elif launcher == 'mpi':
        env = {
            key: os.environ[f'OMPI_COMM_WORLD_{source}']
            for key, source in (('RANK', 'RANK'), ('WORLD_SIZE', 'SIZE'), ('LOCAL_RANK', 'LOCAL_RANK'))
        }
    elif launcher == 'pytorch':
        env = {}
    else:
        raise UserValueError(f"launcher must be 'pytorch', 'slurm' or 'mpi', got {launcher!r}")
    os.environ.update(env)
    os.environ.setdefault('MASTER_PORT', '29500')
    missing = [key for key in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR') if key not in os.environ]
    if missing:
        raise UserRuntimeError(
            f'--launcher {launcher} without {", ".join(missing)} in the environment: start it '
            'with tools/dist_train.sh, srun or mpirun'
        )
    dist.init_process_group('gloo', rank=int(os.environ['RANK']), world_size=int(os.environ['WORLD_SIZE']))


def cpu_wrapper_cfg(cfg: Any) -> Dict[str, Any]:
    """``model_wrapper_cfg`` for DDP on the CPU.

    mmengine's default passes ``device_ids=[LOCAL_RANK]``, which DDP refuses for a CPU model.

    Upstream and version: as :func:`init_cpu_group`.
    """
    wrapper = dict(cfg.get('model_wrapper_cfg') or {})
    wrapper.setdefault('type', 'MMDistributedDataParallel')
    wrapper.setdefault('broadcast_buffers', False)
    wrapper.setdefault('find_unused_parameters', cfg.get('find_unused_parameters', False))
    wrapper['device_ids'] = None
    return wrapper
