"""Values of the command line that change a config: ``--cfg-options key=value``."""

import ast
import copy
import difflib
import importlib.util
import inspect
from typing import Any, Dict, Iterator, List, Sequence, Union

from mmengine.config import Config, ConfigDict, DictAction
from mmengine.registry import VISBACKENDS
from mmengine.runner import FlexibleRunner, Runner

from ...errors import ConfigError, UserValueError, did_you_mean

# What is read of a config's top level: the runners' arguments, and what they and the project look up.
_READ = {
    *(name for runner in (Runner, FlexibleRunner) for name in inspect.signature(runner).parameters),
    *('runner_type', 'compile', 'find_unused_parameters', 'model_wrapper_cfg', 'sync_bn'),
}

# Packages that mmengine's backends import only when the first value is logged.
VIS_PACKAGES = dict(
    TensorboardVisBackend='tensorboard',
    WandbVisBackend='wandb',
    MLflowVisBackend='mlflow',
    ClearMLVisBackend='clearml',
    NeptuneVisBackend='neptune',
    DVCLiveVisBackend='dvclive',
    AimVisBackend='aim',
)

# For a config without one, if an option changes it.
VISUALIZER = dict(type='SignVisualizer', vis_backends=[dict(type='LocalVisBackend')])


class OptionsAction(DictAction):
    """mmengine's ``DictAction`` with dicts in values, also in braces: ``key="[dict(type='A'), ..]"``."""

    @staticmethod
    def _parse_iterable(val: str) -> Any:
        text = val.strip('\'" ')
        has_dicts = text.startswith(('[', '(', '{', 'dict(')) and ('dict(' in text or '{' in text)
        return parse_dicts(text) if has_dicts else DictAction._parse_iterable(val)


def parse_dicts(text: str) -> Any:
    """The value of Python's notation of dicts, lists, tuples and plain values; a bare word is text.

    Nothing is executed.

    Raises:
        ConfigError: It is something else.
    """

    def value(node: ast.AST) -> Any:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == 'dict'
            and not node.args
        ):
            if all(keyword.arg for keyword in node.keywords):
                return {keyword.arg: value(keyword.value) for keyword in node.keywords}
        elif isinstance(node, ast.Dict) and None not in node.keys:
            return {value(key): value(entry) for key, entry in zip(node.keys, node.values)}
        elif isinstance(node, (ast.List, ast.Tuple)):
            entries = [value(entry) for entry in node.elts]
            return tuple(entries) if isinstance(node, ast.Tuple) else entries
        elif isinstance(node, ast.Name):
            return dict(true=True, false=False).get(node.id, node.id)
        elif isinstance(node, (ast.Constant, ast.UnaryOp)):
            return ast.literal_eval(node)
        raise UserValueError('no plain value')

    try:
        result = value(ast.parse(text.strip(), mode='eval').body)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise ConfigError(
            f'--cfg-options: {text[:200]!r} cannot be read ({type(error).__name__}); write dicts as '
            "dict(type='A', size=3) and put quotes "
            'around the whole option'
        ) from error
    # A bare "a, b" is a list, as in mmengine.
    return list(result) if isinstance(result, tuple) and not text.strip().startswith('(') else result


def _check_options(cfg: Config, options: Dict[str, Any]) -> None:
    """Refuses a ``--cfg-options`` key that mmengine would add silently, though nothing reads it.

    It is close to an existing one, or new at the top level and none that a run reads there.
    """
    for key in options:
        node: Any = cfg
        path: List[str] = []
        for part in key.split('.'):
            if isinstance(node, (list, tuple)) and part.isdigit() and int(part) < len(node):
                node = node[int(part)]
            elif isinstance(node, (dict, Config)):
                if part not in node:
                    if node is cfg and part in _READ:
                        break
                    close = difflib.get_close_matches(part, list(node.keys()), n=1, cutoff=0.75)
                    if close:
                        meant = '.'.join([*path, close[0]])
                        raise ConfigError(
                            f'--cfg-options {key}: the config has no {".".join([*path, part])!r}. Did you '
                            f'mean {meant!r}?'
                        )
                    if node is cfg:
                        places = sorted(_ending_in(cfg._cfg_dict, key), key=len)[:3]
                        raise ConfigError(
                            f'--cfg-options {key}: the config has no {part!r} at its top level, and nothing '
                            'would read it. '
                            + (f'Did you mean {" or ".join(places)}?' if places else did_you_mean(part, cfg))
                        )
                    break
                node = node[part]
            else:
                break
            path.append(part)


def _ending_in(node: Any, key: str, place: str = '') -> Iterator[str]:
    """The places in a config whose path ends in ``key``."""
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in entries:
        path = f'{place}{name}'
        if path.endswith(f'.{key}'):
            yield path
        yield from _ending_in(value, key, f'{path}.')


def merge_options(cfg: Config, options: Dict[str, Any]) -> None:
    """Changes a config in place.

    A number in a key is an index into a list. The one after the last adds an entry, which mmengine refuses. A
    dict replaces what is no dict, such as None.

    Raises:
        ConfigError: A key is close to one of the config's or names a part of what has none, nothing reads it
            at the top level, or an index lies beyond the end of a list.
    """
    _check_options(cfg, options)
    if cfg.get('visualizer') is None and any(key.startswith('visualizer.') for key in options):
        cfg.visualizer = copy.deepcopy(VISUALIZER)
    for key, value in options.items():
        if _set_in_list(cfg, key, value):
            continue
        _check_parts(cfg, key)
        for part in reversed(key.split('.')):
            value = {part: value}
        cfg.merge_from_dict(_marked(value, cfg._cfg_dict))
    complete_vis_backends(cfg)


def _set_in_list(cfg: Config, key: str, value: Any) -> bool:
    """Sets a key that leads through a list; False = it leads through none."""
    *parts, last = key.split('.')
    if not _leads_through_list(cfg._cfg_dict, [*parts, last]):
        return False
    node: Any = cfg._cfg_dict
    for part in parts:
        index = _list_index(node, part, key)
        if isinstance(node, dict) and part not in node:
            node[part] = ConfigDict()
        child = node[index]
        # A copy, since other parts of the config may share it.
        node[index] = list(child) if isinstance(child, tuple) else copy.copy(child)
        node = node[index]
    index = _list_index(node, last, key)
    before = node[index] if isinstance(node, list) else node.get(index)
    if isinstance(value, dict):
        before = before if isinstance(before, dict) else ConfigDict()
        value = Config._merge_a_into_b(_marked(value, before), before, allow_list_keys=True)
    node[index] = value
    return True


def _check_parts(cfg: Config, key: str) -> None:
    """Refuses a key that leads through a number or a text."""
    node: Any = cfg._cfg_dict
    for part in key.split('.'):
        if node is None:
            break
        index = _list_index(node, part, key)
        node = node.get(index)


def _marked(change: Any, before: Any) -> Any:
    """``change`` with mmengine's mark on each dict that meets no dict, which mmengine would not replace."""
    if not isinstance(change, dict) or change.get('_delete_'):
        return change
    if isinstance(before, dict):
        return {key: _marked(value, before[key]) if key in before else value for key, value in change.items()}
    if isinstance(before, list) and change and all(str(part).isdigit() for part in change):
        return change
    return dict(change, _delete_=True)


def _leads_through_list(node: Any, parts: Sequence[str]) -> bool:
    for part in parts:
        if isinstance(node, (list, tuple)):
            return True
        node = node.get(part) if isinstance(node, dict) else None
    return False


def _list_index(node: Any, part: str, key: str) -> Union[int, str]:
    """The key or index of a part of a key; a list grows by one entry at the index after its last.

    Raises:
        ConfigError: The index is larger, or the value has no parts.
    """
    if isinstance(node, dict):
        return part
    if not isinstance(node, list):
        raise ConfigError(f'--cfg-options {key}: {part!r} names a part of {node!r}, which has none')
    if not part.isdigit() or int(part) > len(node):
        raise ConfigError(
            f'--cfg-options {key}: {part!r} is no place in a list of {len(node)}; 0 to {len(node)} are, and '
            f'{len(node)} adds an entry'
        )
    if int(part) == len(node):
        node.append(ConfigDict())
    return int(part)


def complete_vis_backends(cfg: Config) -> None:
    """Turns the visualizer's backends into mmengine's dicts: ``TensorboardVisBackend``, or ``tensorboard``.

    Raises:
        ConfigError: A backend is neither a name nor a dict with ``type``, or there is none of the name.
    """
    visualizer = cfg.get('visualizer')
    if not isinstance(visualizer, dict) or visualizer.get('vis_backends') is None:
        return
    backends = visualizer['vis_backends']
    backends = list(backends) if isinstance(backends, (list, tuple)) else [backends]
    visualizer['vis_backends'] = [_backend(entry) for entry in backends]


def _backend(entry: Any) -> Any:
    if not isinstance(entry, (str, dict)) or (
        isinstance(entry, dict) and not isinstance(entry.get('type'), (str, type))
    ):
        raise ConfigError(
            f'visualizer.vis_backends: {entry!r} is no backend; give its name, or dict(type=NAME, ..)'
        )
    entry = ConfigDict(type=entry) if isinstance(entry, str) else entry
    name = entry['type']
    if isinstance(name, str) and '.' not in name:
        VISBACKENDS.import_from_location()
        known = {}
        for registered in VISBACKENDS.module_dict:
            known.update(
                {registered.lower(): registered, registered.lower().replace('visbackend', ''): registered}
            )
        if name.lower() not in known:
            raise ConfigError(
                f'visualizer.vis_backends: there is no backend {name!r}. '
                f'{did_you_mean(name, VISBACKENDS.module_dict)}'
            )
        entry['type'] = known[name.lower()]
    return entry


def check_vis_backends(cfg: Config) -> None:
    """Refuses backends whose package is not installed, before work begins.

    Raises:
        ConfigError: A package is missing, or two backends have one name.
    """
    backends = (cfg.get('visualizer') or {}).get('vis_backends') or []
    names = []
    for entry in backends if isinstance(backends, (list, tuple)) else [backends]:
        if not isinstance(entry, dict):
            continue
        kind = entry.get('type')
        package = VIS_PACKAGES.get(kind) if isinstance(kind, str) else None
        if package is not None and importlib.util.find_spec(package) is None:
            raise ConfigError(
                f'visualizer.vis_backends: {kind} needs the package {package}, which is not installed: pip '
                f'install {package}'
            )
        names.append(entry.get('name') or kind)
    repeated = sorted({str(name) for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigError(
            f'visualizer.vis_backends: {", ".join(repeated)} is there twice; leave one out, or give them '
            'different names (name=..)'
        )
