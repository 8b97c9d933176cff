"""Public names of a package, imported when they are first used (PEP 562)."""

import importlib
import sys
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple


def lazy_names(
    package: str, modules: Mapping[str, Sequence[str]]
) -> Tuple[Callable[[str], Any], Callable[[], List[str]], List[str]]:
    """Makes ``__getattr__``, ``__dir__`` and ``__all__`` of a package.

    Args:
        package (str): Its ``__name__``.
        modules (Mapping[str, Sequence[str]]): Module in the package -> its public names. The module ``''``
            has submodules that are public themselves.

    Example:
        >>> __getattr__, __dir__, __all__ = lazy_names(__name__, {'clips': ['PoseClip']})
    """
    places: Dict[str, str] = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f'module {package!r} has no attribute {name!r}')
        try:
            module = importlib.import_module(f'{package}.{places[name] or name}')
        except ModuleNotFoundError:
            # Its message says how to install torch and mmengine, where these are what is missing.
            importlib.import_module('signbert_mm.needs_train')
            raise
        value = getattr(module, name) if places[name] else module
        # Kept, so that this function is called once a name.
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted({*vars(sys.modules[package]), *places}), sorted(places)
