"""Configs that OpenMMLab's wheels carry, by name."""

import glob
import importlib.util
import os
from typing import Dict

from .. import compat
from ..errors import UserModuleNotFoundError


def config_folder(package: str) -> str:
    """Where the wheel of ``package`` keeps its configs.

    Raises:
        ModuleNotFoundError: The package is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise UserModuleNotFoundError(f'{package} is not installed: {compat.INSTALL_OPENMMLAB}')
    return os.path.join(next(iter(spec.submodule_search_locations)), '.mim', 'configs')


def wheel_configs(package: str, pattern: str = '**') -> Dict[str, str]:
    """File by name (without ``.py``) of the configs under ``<package>/.mim/configs``; of equal names the
    first in order of path.

    Args:
        package (str): 'mmpose' or 'mmdet'.
        pattern (str): Folder below, a glob.

    Raises:
        ModuleNotFoundError: The package is not installed.
    """
    folder = config_folder(package)
    found: Dict[str, str] = {}
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), pattern, '**', '*.py'), recursive=True)):
        if '_base_' not in path:
            found.setdefault(os.path.splitext(os.path.basename(path))[0], path)
    return found


def find_config(name: str, package: str, pattern: str = '**') -> str:
    """The config file: ``name`` as a path, as a config's whole name, or as a part that only one name has.

    Raises:
        FileNotFoundError: There is none, or several; the message lists those that come close.
    """
    if os.path.isfile(name):
        return name
    known = wheel_configs(package, pattern)
    name = os.path.splitext(name)[0] if name.endswith('.py') else name
    if name in known:
        return known[name]
    fits = [known_name for known_name in known if name.lower() in known_name.lower()]
    if len(fits) == 1:
        return known[fits[0]]
    what = (
        f'several configs of {package} have {name!r} in their names'
        if fits
        else f'no file and no config of {package} is called {name!r}'
    )
    listed = (
        fits
        or [known_name for known_name in known if known_name[:4].lower() == name[:4].lower()]
        or list(known)
    )
    raise FileNotFoundError(f'{what}; choose one of: {", ".join(listed[:30])}')
