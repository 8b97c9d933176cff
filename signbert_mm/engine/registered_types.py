"""The check that a config of others names only parts that are registered."""

from typing import Any, Iterator, Set

from mmengine.config import Config
from mmengine.registry import Registry

from .. import registry as registries
from ..errors import ConfigError, did_you_mean
from ..files.plain_config import read_plain_config

_PACKAGES = (registries.SCOPE, 'mmengine', 'mmaction')
# What inference builds of a config.
_PARTS = ('model', 'test_dataloader', 'val_dataloader', 'train_dataloader')


def read_inference_config(text: str, where: str) -> Config:
    """Reads what inference builds of a config of others: the model, and how its data are read.

    Args:
        text (str): The config, see :func:`~signbert_mm.files.plain_config.read_plain_config`.
        where (str): For messages.

    Raises:
        ConfigError: It is not one of plain values, has no model, or names a part that is not registered.
    """
    content = read_plain_config(text, where)
    parts = {name: content[name] for name in _PARTS if content.get(name) is not None}
    if not isinstance(parts.get('model'), dict):
        raise ConfigError(
            f'{where}: there is no `model` in its config; give the one that it was trained with'
        )
    check_types(parts, where)
    return Config(dict(parts, default_scope=registries.SCOPE))


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
