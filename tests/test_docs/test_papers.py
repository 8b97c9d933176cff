"""docs/papers.md: the classes are where it says, and the settings are those of the configs."""

import ast
import importlib
import inspect
import re

import pytest
from doc_blocks import DOCS, ROOT
from mmengine.config import Config

from signbert_mm import registry

PAGE = (DOCS / 'papers.md').read_text(encoding='utf-8')
_NAME = re.compile(r'\[(\w+)\]\(\.\./(signbert_mm/[\w/]+)\.py\)')
_SETTING = re.compile(r'`([A-Za-z_][\w.]*)=([^`]+)`')
_SECTION = re.compile(r'<!-- config: (\S+) -->')


def settings():
    """(config, key, value) of each setting on the page."""
    parts = _SECTION.split(PAGE)
    for config, text in zip(parts[1::2], parts[2::2]):
        for key, value in _SETTING.findall(text):
            if '.' in key:
                yield config, key, value


def literal(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def plain(value):
    return tuple(plain(item) for item in value) if isinstance(value, (list, tuple)) else value


def steps_of(config, name):
    """Every part of that type in a config."""
    if isinstance(config, dict):
        if config.get('type') == name:
            yield config
        config = list(config.values())
    if isinstance(config, (list, tuple)):
        for item in config:
            yield from steps_of(item, name)


def default_of(name, argument):
    for kind in (registry.MODELS, registry.TRANSFORMS, registry.METRICS):
        cls = kind.get(name)
        if cls is not None:
            return inspect.signature(cls.__init__).parameters[argument].default
    raise KeyError(name)


def in_config(cfg, key):
    head, _, argument = key.partition('.')
    if not head[0].isupper():
        value = cfg
        for part in key.split('.'):
            value = value[int(part)] if isinstance(value, (list, tuple)) else value[part]
        return [value]
    found = [step[argument] for step in steps_of(cfg._cfg_dict.to_dict(), head) if argument in step]
    return found or [default_of(head, argument)]


def test_there_are_many():
    assert len(list(settings())) > 60 and len(_NAME.findall(PAGE)) > 30


@pytest.mark.parametrize(
    ('config', 'key', 'value'), list(settings()), ids=lambda item: str(item).split('/')[-1]
)
def test_settings(config, key, value):
    found = in_config(Config.fromfile(ROOT / config), key)
    assert plain(literal(value)) in [plain(item) for item in found], f'{config}: {key} is {found}'


@pytest.mark.parametrize(('name', 'path'), sorted(set(_NAME.findall(PAGE))))
def test_names(name, path):
    module = importlib.import_module(path.replace('/', '.'))
    assert name == path.split('/')[-1] or getattr(module, name).__module__ == module.__name__
