"""Packages of the extras in setup.py: which one a missing package belongs to."""

import importlib
import importlib.util
from types import ModuleType
from typing import Sequence

from .errors import UserModuleNotFoundError

_DISTRIBUTIONS = {'cv2': 'opencv-python-headless'}


def _missing(package: str, what: str, extra: str) -> UserModuleNotFoundError:
    name = _DISTRIBUTIONS.get(package, package)
    return UserModuleNotFoundError(
        f"{what} needs {name}, which is not installed: pip install 'signbert_mm[{extra}]'", name=package
    )


def need(package: str, what: str, extra: str) -> ModuleType:
    """Imports a package of an extra.

    Args:
        package (str): Its name in an import.
        what (str): What needs it, for the message.
        extra (str): The extra that brings it.

    Raises:
        ModuleNotFoundError: It, or a package that it imports, is not installed.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise _missing(error.name or package, what, extra) from error


def check_installed(packages: Sequence[str], what: str, extra: str) -> None:
    """As :func:`need`, of several packages, which are not imported."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise _missing(package, what, extra)
