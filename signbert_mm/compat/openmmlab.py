"""Faults of mmcv, mmpose, mmaction2 and torchvision, and the imports of those packages."""

import importlib
import importlib.util
import os
import re
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, List, Sequence

from ..errors import UserModuleNotFoundError, UserNotImplementedError

NO_DEPS_OPENMMLAB = 'pip install --no-deps mmdet==3.3.0 mmpose==1.3.2 mmaction2==1.2.0'
INSTALL_OPENMMLAB = f'run `make install`, or: {NO_DEPS_OPENMMLAB} (see requirements/openmmlab.txt)'

# Libraries of operators, whose schemas go away with them.
_kept_alive: List[Any] = []


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


def _stub(name: str, doc: str) -> ModuleType:
    module = ModuleType(name, doc)
    module.__spec__ = ModuleSpec(name, loader=None)
    return module


class _LazyOps(ModuleType):
    """Replaces ``mmcv._ext``: it has every operator, and each raises when it is called."""

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
    """Replaces ``mmcv._ext``, which mmcv-lite lacks, by operators that raise when called.

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


def mmcv_ops_are_stubs() -> bool:
    """Whether :func:`patch_mmcv_ops` has replaced mmcv's operators."""
    return isinstance(sys.modules.get('mmcv._ext'), _LazyOps)


def patch_mmaction_drn() -> bool:
    """Replaces ``mmaction/models/localizers/drn`` by a DRN that raises when built.

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

    package = _stub('mmaction.models.localizers.drn', 'Replaces a folder that the wheel lacks.')
    package.__path__ = []
    package.drn = _stub('mmaction.models.localizers.drn.drn', 'Replaces a file that the wheel lacks.')
    package.drn.DRN = DRN
    sys.modules[package.__name__] = package
    sys.modules[package.drn.__name__] = package.drn
    return True


def patch_mmpose_simcc() -> bool:
    """Without torchvision, replaces mmpose's ``SimCCVisualizer`` by a class that raises when it draws.

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

    module = _stub(name, 'Replaces a module that imports torchvision.')
    module.SimCCVisualizer = SimCCVisualizer
    sys.modules[name] = module
    return True


def patch_torchvision_ops() -> bool:
    """Defines torchvision's operators where its build is for CUDA and torch's for the CPU.

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
    _kept_alive.append(library)
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
    return _import('mmpose', 'mmpose', patch_mmpose_simcc, ('models', 'apis'))


def import_mmaction() -> ModuleType:
    """``import mmaction`` with its models and data sets, patched for mmcv-lite and an incomplete wheel.

    Raises:
        ModuleNotFoundError: mmaction2 or a package that it needs is not installed; says how to install it.
    """
    return _import('mmaction', 'mmaction2', patch_mmaction_drn, ('models', 'datasets'))


def _import(name: str, project: str, patch: Callable[[], bool], parts: Sequence[str]) -> ModuleType:
    if _missing(name):
        raise UserModuleNotFoundError(f'{project} is not installed: {INSTALL_OPENMMLAB}')
    # The patches must come before the import that fails without them.
    patch_torchvision_ops()
    patch_mmcv_ops()
    patch()
    package = importlib.import_module(name)
    for part in parts:
        importlib.import_module(f'{name}.{part}')
    return package
