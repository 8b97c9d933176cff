"""The check that a config of others names only parts that are registered."""

from typing import Any, Iterator, Set

from mmengine.registry import Registry

from .. import registry as registries
from ..errors import ConfigError, did_you_mean

_PACKAGES = (registries.SCOPE, 'mmengine', 'mmaction')


def check_types(config: dict, where: str) -> None:
    """Refuses a config that names anything but registered parts.

    mmengine takes a ``type`` that is not registered for the path of an object in any module, and calls it. A
    config of others could so run what it likes, such as ``subprocess.Popen``.

    Args:
        config (dict): The config, or a part of it.
        where (str): For messages.

    Raises:
        ConfigError: A ``type`` is not registered or is of another package, or a ``_scope_`` is set.
    """
    types = list(_types(config))
    known = registered_names()
    if 'MMActionRecognizer' in types:
        known |= _mmaction_names()
    for name in types:
        package, _, short = name.rpartition('.') if isinstance(name, str) else ('', '', '')
        if short not in known or package not in ('', *_PACKAGES):
            raise ConfigError(
                f'{where}: type {name!r:.60} is not registered here, so nothing was built. '
                f'{did_you_mean(str(name)[:60], known)} Where you trust the config, import the module that '
                'registers it before'
            )


def _types(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        # It makes mmengine import a module of that package.
        yield from (node[key] for key in ('type', '_scope_') if key in node)
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for item in node:
            yield from _types(item)


def registered_names() -> Set[str]:
    """The names of all parts that this project and mmengine have registered."""
    return _names_of(registries)


def _mmaction_names() -> Set[str]:
    from ..compat import import_mmaction

    import_mmaction()
    import mmaction.registry

    return _names_of(mmaction.registry)


def _names_of(module: Any) -> Set[str]:
    names: Set[str] = set()
    for registry in vars(module).values():
        while isinstance(registry, Registry):
            registry.import_from_location()
            names.update(registry.module_dict)
            registry = registry.parent
    return names
