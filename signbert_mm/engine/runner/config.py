"""Reading a config, and messages about what is wrong with it."""

import ast
import codecs
import copy
import inspect
import os
import os.path as osp
import re
import textwrap
import traceback
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Dict, FrozenSet, Iterator, List, Optional, Tuple, Union

import mmengine.registry
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import Registry

from ... import registry as registries
from ...errors import ConfigError, UserError, close_names, did_you_mean
from ...files.text import read_text
from .options import merge_options

# Functions of mmengine that build parts: what, and the local variable with the arguments.
_BUILDERS = dict(build_from_cfg=('', 'args'), build_dataloader=('DataLoader', 'dataloader_cfg'))
# Packages whose frames tell whether a constructor failed at its arguments.
_OWN = ('signbert_mm', 'mmengine')
_BASE_FILE = re.compile(r"""['"](\.{1,2}/[^'"\n]+\.py)['"]""")


def config_roots() -> List[str]:
    """Folders that hold the project's ``configs``: a checkout, or an installed package's ``.mim``."""
    package = osp.dirname(osp.dirname(osp.dirname(osp.abspath(__file__))))
    return [
        root
        for root in (osp.dirname(package), osp.join(package, '.mim'))
        if osp.isdir(osp.join(root, 'configs', '_base_'))
    ]


@lru_cache(maxsize=4)
def read_variants(root: str) -> Dict[str, Tuple[Union[str, List[str]], Dict[str, Any]]]:
    """``configs/variants.py``: path -> (path of the config or paths of its parts, its changed values)."""
    return Config.fromfile(osp.join(root, 'configs', 'variants.py')).variants


def list_variants() -> Dict[str, str]:
    """Name -> path of the configs of ``configs/variants.py``, for which no file exists; no rows of tables."""
    root = config_roots()[0]
    return {
        osp.basename(name): osp.join(root, 'configs', f'{name}.py')
        for name in read_variants(root)
        if '/ablation/' not in name
    }


def find_config(path: str) -> Tuple[List[str], Dict[str, Any]]:
    """A config's file, and the options that a variant of ``configs/variants.py`` sets in it.

    The file is ``path`` itself, or lies below the project's ``configs`` (also in an installed package). A
    variant may have several files: the parts that other configs name in ``_base_``.

    Raises:
        FileNotFoundError: There is none; the message has the configs of similar name.
    """
    if osp.isfile(path):
        return [path], {}
    roots = config_roots()
    for root in roots:
        for candidate in (osp.join(root, path), osp.join(root, 'configs', path)):
            if osp.isfile(candidate):
                return [candidate], {}
            name = osp.relpath(candidate, osp.join(root, 'configs'))[: -len('.py')]
            if name in read_variants(root):
                parts, options = read_variants(root)[name]
                parts = [parts] if isinstance(parts, str) else parts
                return [osp.normpath(osp.join(root, 'configs', f'{part}.py')) for part in parts], options
    known = {}
    for root in roots:
        known.update({f'{osp.basename(name)}.py': f'configs/{name}.py' for name in read_variants(root)})
        for folder, _, files in os.walk(osp.join(root, 'configs')):
            known.update(
                {file: osp.relpath(osp.join(folder, file), root) for file in files if file.endswith('.py')}
            )
    close = close_names(osp.basename(path), known)
    hint = f' Did you mean {" or ".join(known[name] for name in close)}?' if close else ''
    raise FileNotFoundError(
        f'config {path} does not exist (looked in {os.getcwd()} and in the configs of the project).{hint}'
    )


def check_encoding(path: str, seen: FrozenSet[str] = frozenset()) -> None:
    """Refuses a config, or one of its base files, that Python's parser cannot read as text.

    Raises:
        ConfigError: It begins with a byte order mark, is not UTF-8 or no Python, or a base is a variant,
            which has no file; the message names the file and the remedy.
    """
    try:
        text = read_text(path)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    with open(path, 'rb') as file:
        if file.read(3) == codecs.BOM_UTF8:
            raise ConfigError(
                f'{path}: begins with a byte order mark, which Python refuses; save it as UTF-8 without '
                'one, for instance: '
                f"sed -i '1s/^\\xEF\\xBB\\xBF//' {path}"
            )
    if path.endswith('.py'):
        try:
            ast.parse(text)
        except (SyntaxError, ValueError) as error:
            line = f', line {error.lineno}' if getattr(error, 'lineno', None) else ''
            raise ConfigError(f'{path}{line}: {getattr(error, "msg", error)}') from None
    for name in _BASE_FILE.findall(text):
        base = osp.join(osp.dirname(path), name)
        if osp.isfile(base):
            if osp.realpath(base) not in seen:
                check_encoding(base, seen | {osp.realpath(path)})
        elif _is_variant(osp.realpath(base)):
            files, options = find_config(osp.realpath(base))
            raise ConfigError(
                f'{path}: _base_: {name} has no file, since it is a row of configs/variants.py. Take '
                f'_base_ = {[osp.relpath(file, osp.dirname(path)) for file in files]} and set: '
                f'{_in_words(options)}'
            )


def _is_variant(path: str) -> bool:
    folders = [(root, osp.join(osp.realpath(root), 'configs')) for root in config_roots()]
    return any(osp.relpath(path, folder)[: -len('.py')] in read_variants(root) for root, folder in folders)


def _in_words(options: Dict[str, Any]) -> str:
    return ' '.join(f'{key}={value!r}' for key, value in options.items())


def read_config(path: str) -> Config:
    """A config file as it is.

    Raises:
        ConfigError: A module of its ``custom_imports`` does not exist, its code fails, or it does not fit the
            files of its ``_base_``; the message names the file, and the line where it is known.
        OSError: It, or a file of its ``_base_``, cannot be read.
    """
    try:
        return Config.fromfile(path)
    except (UserError, OSError, MemoryError):
        raise
    except ImportError as error:
        root = config_roots()[0]
        raise ConfigError(
            f'{path}: custom_imports: {error}. What lies in projects/ is found with PYTHONPATH={root}'
        ) from error

    except Exception as error:
        raise ConfigError(_reading_fault(path, error)) from error


def _reading_fault(path: str, error: Exception) -> str:
    """What is wrong with a config that mmengine cannot read."""
    text = str(error.args[0] if error.args else '').strip()
    frames = traceback.extract_tb(error.__traceback__)
    kinds = re.match(r"(\w+)=.* in child config cannot .* of type <class '(\w+)'> in base", text, re.DOTALL)
    if kinds:
        key, other = kinds[1], 'None' if kinds[2] == 'NoneType' else f'of type {kinds[2]}'
        return (
            f'{path}: {key} is a dict, and {other} in a _base_. To replace that: '
            f'{key} = dict(_delete_=True, ..)'
        )
    repeated = re.match(r'Duplicate key is not allowed among bases. Duplicate keys: {(.*)}', text)
    if repeated:
        keys = ', '.join(sorted(repeated[1].replace("'", '').split(', ')))
        return (
            f'{path}: two files of a _base_ set the same keys: {textwrap.shorten(keys, 200)}. Name one of '
            'the files there, and set what differs in the config'
        )
    if (
        isinstance(error, KeyError)
        and frames
        and any(frame.name == '_substitute_base_vars' for frame in frames)
    ):
        return f'{path}: {{{{_base_. .. }}}} asks for {text!r}, which no file of its _base_ sets'
    if isinstance(error, RecursionError):
        return f'{path}: its _base_ leads back to itself'
    # Configs run as modules; the last one failed, in its own line or in what that calls.
    lines = [frame for frame in frames if frame.name == '<module>' and osp.isfile(frame.filename)]
    place = f'{lines[-1].filename}, line {lines[-1].lineno}' if lines else path
    cause = (text.splitlines() or ['no message'])[0]
    return f'{place}: {type(error).__name__}: {cause}'


def _put_together(files: List[str], path: str) -> Config:
    """The config that names these files in ``_base_``; its own file would be ``path``."""
    content: Dict[str, Any] = {}
    for file in files:
        content.update(read_config(file).to_dict())
    return Config(content, cfg_text=f'_base_ = {files}\n', filename=path)


def load_config(path: str, options: Optional[Dict[str, Any]] = None) -> Config:
    """Reads a config file, merges ``--cfg-options`` into it and sets a default ``work_dir``.

    That is ``work_dirs/<name of the config>``.

    Raises:
        FileNotFoundError: No such config.
        ConfigError: An option's key is not in the config though a similar one is, or is no place in a list; a
            file is not UTF-8 text.
    """
    files, changes = find_config(path)
    for file in files:
        check_encoding(file)
    cfg = read_config(files[0]) if len(files) == 1 else _put_together(files, path)
    if changes:
        # A copy, since the variants are cached.
        merge_options(cfg, copy.deepcopy(dict(changes)))
        names = ' + '.join(osp.relpath(file) for file in files)
        # The whole config stands in the log of a training.
        text = textwrap.shorten(_in_words(changes), 300, placeholder=' ..')
        print_log(f'{path} is {names} --cfg-options {text}', logger='current')
    merge_options(cfg, options or {})
    if cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('work_dirs', osp.splitext(osp.basename(path))[0])
    if cfg.get('default_scope') is None:
        cfg.default_scope = registries.SCOPE
    return cfg


def _registries() -> Iterator[Registry]:
    """Each registry: this project's, then mmengine's, then those of other projects."""
    for module in (registries, mmengine.registry):
        for registry in vars(module).values():
            if isinstance(registry, Registry):
                yield registry
    for registry in vars(mmengine.registry).values():
        if isinstance(registry, Registry):
            yield from registry.children.values()


def _known_names(registry: Registry) -> List[str]:
    names: List[str] = []
    while registry is not None:
        registry.import_from_location()
        names += list(registry.module_dict)
        registry = registry.parent
    return names


def _unknown(registry: Registry, name: str) -> ConfigError:
    names = _known_names(registry)
    if name in names:
        return ConfigError(
            f'config: {name!r} is found only with default_scope={registries.SCOPE!r} in the config'
        )
    return ConfigError(f'config: there is no {registry.name} of type {name!r}. {did_you_mean(name, names)}')


def _arguments(name: str) -> List[str]:
    """The arguments of a registered class of this name; [] = there is none."""
    classes = (cls for registry in _registries() for cls in registry.module_dict.values())
    registered = next((cls for cls in classes if getattr(cls, '__name__', None) == name), None)
    names = inspect.signature(registered).parameters if registered is not None else ()
    return [argument for argument in names if argument not in ('args', 'kwargs')]


def _wrong_type(error: KeyError) -> Optional[ConfigError]:
    text = str(error.args[0]) if error.args else ''
    match = re.match(r'(\S+) is not in the (?:\w+::)?(.+?) registry', text)
    registry = next((item for item in _registries() if match and item.name == match.group(2)), None)
    if registry is not None:
        return _unknown(registry, match.group(1))
    if 'must contain the key "type"' in text:
        return ConfigError(
            f'config: a part has no "type": {text[:300]}. Check the key\'s spelling, or _delete_=True in a '
            '_base_.'
        )
    return None


def _wrong_argument(error: TypeError) -> Optional[ConfigError]:
    match = re.search(
        r'(\w+)\.__init__\(\) (got an unexpected keyword argument|missing \d+ required \S+ '
        r'arguments?:?) ?(.*)',
        str(error),
    )
    # Only mmengine's calls of a class that a config names; any other is a fault of the program.
    caller = traceback.extract_tb(error.__traceback__)[-1].name
    if match is None or caller not in ('build_from_cfg', 'get_instance'):
        return None
    accepted = _arguments(match.group(1))
    if 'unexpected' in match.group(2):
        name = match.group(3).split("'")[1]
        return ConfigError(
            f'config: {match.group(1)} has no argument {name!r}. {did_you_mean(name, accepted)}'
        )
    return ConfigError(
        f'config: {match.group(1)} needs the argument {match.group(3)}. Its arguments: {", ".join(accepted)}.'
    )


def _wrong_value(error: Exception) -> Optional[ConfigError]:
    """The message where a class that a config names refuses its arguments as it is built."""
    frames = [
        frame
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get('__name__', '').partition('.')[0] in _OWN
    ]
    built = [place for place, frame in enumerate(frames) if frame.f_code.co_name in _BUILDERS]
    # What its constructor calls of this project is a fault of the program.
    if not built or any(not _constructs(frame.f_code.co_name) for frame in frames[built[-1] + 1 :]):
        return None
    values = frames[built[-1]].f_locals
    what, key = _BUILDERS[frames[built[-1]].f_code.co_name]
    name = what or getattr(values.get('obj_cls'), '__name__', values.get('obj_type'))
    arguments = ', '.join(
        f'{argument}={value!r}'
        for argument, value in (values.get(key) or {}).items()
        if isinstance(value, (int, float, str, list, tuple, type(None))) and len(repr(value)) < 80
    )
    cause = (str(error).strip().splitlines() or ['no message'])[0]
    return ConfigError(
        f'config: {name}({textwrap.shorten(arguments, 300, placeholder=" ..")}) cannot be built: '
        f'{type(error).__name__}: {cause[:300]}'
    )


def _constructs(name: str) -> bool:
    return name in ('__init__', '__call__', 'get_instance') or name.startswith('<')


@contextmanager
def explain_config_errors() -> Iterator[None]:
    """Turns errors of building a config's parts into ones that name the part, where they can with a remedy.

    Raises:
        ConfigError: Instead of ``KeyError`` (unknown type), of ``TypeError`` (unknown or missing argument of
            a registered class), and of what a class's constructor raises at its arguments.
    """
    try:
        yield
    except Exception as error:
        explained = _wrong_type(error) if isinstance(error, KeyError) else None
        explained = explained or (_wrong_argument(error) if isinstance(error, TypeError) else None)
        # These say enough by themselves.
        if not isinstance(error, (UserError, OSError, ImportError, MemoryError)):
            explained = explained or _wrong_value(error)
        if explained is None:
            raise
        raise explained from error
