"""Every workaround of an upstream fault, in one place.

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

import ctypes
import importlib
import importlib.util
import os
import platform
import re
import subprocess
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Dict, List

from .errors import (
    UserKeyError,
    UserModuleNotFoundError,
    UserNotImplementedError,
    UserRuntimeError,
    UserValueError,
)

NO_DEPS_OPENMMLAB = 'pip install --no-deps mmdet==3.3.0 mmpose==1.3.2 mmaction2==1.2.0'
INSTALL_OPENMMLAB = f'run `make install`, or: {NO_DEPS_OPENMMLAB} (see requirements/openmmlab.txt)'

_kept_alive: List[Any] = []


def _stub(name: str, doc: str) -> ModuleType:
    module = ModuleType(name, doc)
    module.__spec__ = ModuleSpec(name, loader=None)
    return module


def _missing(name: str) -> bool:
    """Whether no module of this name can be found.

    Nothing but its parent packages is executed.
    """
    if name in sys.modules:
        return False
    try:
        return importlib.util.find_spec(name) is None
    except ModuleNotFoundError:
        return True


class _LazyOps(ModuleType):
    """Stands in for ``mmcv._ext``: it has every operator, and each raises when it is called."""

    def __getattr__(self, name: str) -> Any:
        # Python's import system asks modules for ``__path__`` and the like, which must stay absent.
        if name.startswith('__'):
            raise AttributeError(name)

        def missing_operator(*args: Any, **kwargs: Any) -> None:
            raise UserNotImplementedError(
                f'the compiled operator mmcv.ops.{name} is not in mmcv-lite; install the full mmcv 2.1.0 (it '
                'compiles for minutes)'
            )

        missing_operator.__name__ = name
        return missing_operator


def patch_mmcv_ops() -> bool:
    """Operators that raise when called, in the place of ``mmcv._ext``, which mmcv-lite lacks.

    ``mmpose.models`` imports ``mmcv.ops``, which needs it.

    Upstream: mmpose #3250; can go when mmpose imports ``mmcv.ops`` on use (not in 1.3.2). Returns whether it
    was needed.
    """
    import mmcv  # noqa: F401

    if not _missing('mmcv._ext'):
        return False
    module = _LazyOps('mmcv._ext', 'Operators that are not compiled here.')
    module.__spec__ = ModuleSpec('mmcv._ext', loader=None)
    sys.modules['mmcv._ext'] = module
    return True


def patch_mmaction_drn() -> bool:
    """A DRN that raises when built, in the place of ``mmaction/models/localizers/drn``.

    mmaction2 1.2.0's wheel lacks this folder, and its ``__init__`` imports it.

    Upstream: mmaction2 #2714; can go with the first release after 1.2.0 that packs the folder. Returns
    whether it was needed.
    """
    spec = importlib.util.find_spec('mmaction')
    if spec is None or not spec.submodule_search_locations:
        raise UserModuleNotFoundError(f'mmaction2 is not installed: {INSTALL_OPENMMLAB}')
    folder = os.path.join(next(iter(spec.submodule_search_locations)), 'models', 'localizers', 'drn')
    if 'mmaction.models.localizers.drn.drn' in sys.modules or os.path.isfile(os.path.join(folder, 'drn.py')):
        return False

    class DRN:
        """Absent from this mmaction2 wheel."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            raise UserNotImplementedError(
                'mmaction2 1.2.0 ships without its DRN localizer (mmaction2 #2714): '
                'install mmaction2 from its repository'
            )

    package = _stub('mmaction.models.localizers.drn', 'Stands for a folder that the wheel lacks.')
    package.__path__ = []
    package.drn = _stub('mmaction.models.localizers.drn.drn', 'Stands for a file that the wheel lacks.')
    package.drn.DRN = DRN
    sys.modules[package.__name__] = package
    sys.modules[package.drn.__name__] = package.drn
    return True


def patch_mmpose_simcc() -> bool:
    """Without torchvision, a class that raises when it draws, in the place of mmpose's ``SimCCVisualizer``.

    Its module ``simcc_vis`` is the only one of ``mmpose.visualization`` that imports torchvision.

    Upstream: none filed; can go when mmpose's ``simcc_vis`` imports torchvision on use (not in 1.3.2).
    Returns whether it was needed.
    """
    name = 'mmpose.visualization.simcc_vis'
    if name in sys.modules or not _missing('torchvision'):
        return False

    class SimCCVisualizer:
        """Needs torchvision, which is not installed."""

        def draw_instance_xy_heatmap(self, *args: Any, **kwargs: Any) -> None:
            raise UserModuleNotFoundError(
                'drawing SimCC heatmaps needs torchvision (pip install torchvision, of the build of your '
                "torch); the poses don't"
            )

    module = _stub(name, 'Stands for a module that imports torchvision.')
    module.SimCCVisualizer = SimCCVisualizer
    sys.modules[name] = module
    return True


def patch_torchvision_ops() -> bool:
    """Defines torchvision's operators where a build for CUDA stands beside a CPU torch.

    Otherwise torchvision's import fails with ``operator torchvision::nms does not exist``. mmengine's
    ``collect_env`` imports it at the start of every Runner.

    Upstream: pytorch/vision #9085; can go when mmengine's ``collect_env`` lets torchvision fail (not in
    0.10.7). Returns whether it was needed.
    """
    import torch

    if 'torchvision' in sys.modules or _missing('torchvision'):
        return False
    folder = next(iter(importlib.util.find_spec('torchvision').submodule_search_locations))
    libraries = [
        os.path.join(folder, name)
        for name in sorted(os.listdir(folder))
        if re.fullmatch(r'_C\b.*\.(so|pyd|dll)', name)
    ]
    try:
        for library in libraries:
            torch.ops.load_library(library)
        return False
    # The library was built for another device.
    except OSError:
        pass
    with open(os.path.join(folder, '_meta_registrations.py'), encoding='utf-8') as file:
        # The names are nms, and in 0.28 also qnms.
        operators = sorted(set(re.findall(r'[\'"]torchvision::(\w+)[\'"]', file.read())))
    library = torch.library.Library('torchvision', 'FRAGMENT')
    for name in operators:
        library.define(f'{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
    # The schemas are removed when the library object is collected.
    _kept_alive.append(library)
    return True


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

    from .files.checkpoints import drop_config_text, load_checkpoint_file

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
        return drop_config_text(load_by_scheme(cls, filename, map_location, logger))

    load_from_local.weights_only = True
    loading.CheckpointLoader.load_checkpoint = classmethod(load_checkpoint)
    loading.load_from_local, loading.load_from_http = load_from_local, load_from_http
    # The loader keeps its own table of functions by address, so both places must change.
    loading.CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)
    loading.CheckpointLoader.register_scheme(
        prefixes=['http://', 'https://'], loader=load_from_http, force=True
    )
    return True


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


def keep_large_blocks() -> bool:
    """Lets glibc keep the memory of large tensors for the next step.

    By default it maps new pages for each, and the kernel clears them on first use.

    A training step on the CPU took 8 to 12 % less time with it at the demo's width and 2 to 4 % less at full
    width, with the same peak of memory. Freed memory goes back to the system when the process ends. Call it
    early in a process. Nothing happens elsewhere than on Linux with glibc, and where the environment sets
    ``MALLOC_MMAP_THRESHOLD_`` itself.

    Returns:
        bool: Whether glibc accepted the setting.
    """
    if sys.platform != 'linux' or platform.libc_ver()[0] != 'glibc' or 'MALLOC_MMAP_THRESHOLD_' in os.environ:
        return False
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is None:
        return False
    # The numbers of these options in malloc.h.
    mmap_threshold, trim_threshold, top_pad = -3, -1, -2
    # Some versions of glibc accept no threshold above 32 MB.
    accepted = mallopt(mmap_threshold, 1 << 30) or mallopt(mmap_threshold, 1 << 25)
    return bool(accepted and mallopt(trim_threshold, 2**31 - 1) and mallopt(top_pad, 1 << 28))


def patch_inductor_cache() -> bool:
    """Inductor's cache of compiled graphs does not know the CPU's vector instructions.

    Two processors that share a cache folder (or one, with and without ``ATEN_CPU_CAPABILITY``) share C++
    code. Code for AVX-512 silently gives wrong numbers with AVX2, and does not compile where the processor
    has neither. Seen in torch 2.13. Upstream: no issue found; can go when the key of the cache holds the
    instruction set.

    Returns:
        bool: Whether it was set.
    """
    from torch._inductor import config, cpu_vec_isa

    if config.cpp.simdlen is not None:
        return False
    # The cache's key holds ``cpp.simdlen`` where it is set, so set it to what Inductor would pick anyway.
    isa = cpu_vec_isa.pick_vec_isa()
    config.cpp.simdlen = isa.bit_width() if isa else 1
    return True


def patch_rtmpose_config(cfg: Any, with_checkpoint: bool = True) -> Any:
    """Makes the RTMPose configs of mmpose's wheel work offline and without mmdet.

    ``backbone.init_cfg`` downloads weights that the checkpoint replaces anyway. ``_scope_='mmdet'`` imports
    mmdet, which needs pycocotools. Changes ``cfg.model`` in place and returns ``cfg``.

    Upstream: none filed; can go when mmpose's ``init_model`` drops ``init_cfg`` of the backbone and CSPNeXt
    lives in mmpose alone (not in 1.3.2).

    Args:
        cfg (Config): An mmpose config.
        with_checkpoint (bool): A checkpoint has the weights (or they are random on purpose), so nothing needs
            a download.
    """

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get('_scope_') == 'mmdet':
                node.pop('_scope_')
            if with_checkpoint and node.get('init_cfg') is not None:
                node['init_cfg'] = None
            for value in list(node.values()):
                walk(value)
        elif isinstance(node, (list, tuple)):
            for value in node:
                walk(value)

    walk(cfg.model)
    return cfg


def import_foreign_scopes(text: str) -> None:
    """Imports, patched, the sister projects whose parts a config's ``text`` names.

    A part looks like ``type='mmaction.STGCN'``. mmengine would import it without the patches.
    """
    if re.search(r"""['"]mmpose\.[A-Z]""", text):
        import_mmpose()
    if re.search(r"""['"]mmaction\.[A-Z]""", text):
        import_mmaction()


def import_mmpose() -> ModuleType:
    """``import mmpose`` with its models and APIs, patched for mmcv-lite and for a missing torchvision.

    Raises:
        ModuleNotFoundError: mmpose or a package that it needs is not installed; says how to install it.
    """
    if _missing('mmpose'):
        raise UserModuleNotFoundError(f'mmpose is not installed: {INSTALL_OPENMMLAB}')
    # The patches must come before the import that fails without them.
    patch_torchvision_ops()
    patch_mmcv_ops()
    patch_mmpose_simcc()
    mmpose = importlib.import_module('mmpose')
    importlib.import_module('mmpose.models')
    importlib.import_module('mmpose.apis')
    return mmpose


def import_mmaction() -> ModuleType:
    """``import mmaction`` with its models and data sets, patched for mmcv-lite and an incomplete wheel.

    Raises:
        ModuleNotFoundError: mmaction2 or a package that it needs is not installed; says how to install it.
    """
    if _missing('mmaction'):
        raise UserModuleNotFoundError(f'mmaction2 is not installed: {INSTALL_OPENMMLAB}')
    patch_torchvision_ops()
    patch_mmcv_ops()
    patch_mmaction_drn()
    mmaction = importlib.import_module('mmaction')
    importlib.import_module('mmaction.models')
    importlib.import_module('mmaction.datasets')
    return mmaction
