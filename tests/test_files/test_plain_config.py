"""The config of a checkpoint, read as data."""

import pytest
from mmengine.config import Config

from signbert_mm.engine.runner import load_config
from signbert_mm.errors import ConfigError
from signbert_mm.files.plain_config import read_plain_config


def test_a_shipped_config_comes_back_as_it_was():
    cfg = load_config('configs/words33/signbert_d128_pretrain.py')
    assert Config(read_plain_config(cfg.pretty_text)).pretty_text == cfg.pretty_text


def test_values():
    text = "a = dict(b=[1, (2.5, None)], c={'d e': True})\nf = -1\n"
    assert read_plain_config(text) == dict(a=dict(b=[1, (2.5, None)], c={'d e': True}), f=-1)


@pytest.mark.parametrize(
    'text',
    [
        "import os\nmodel = dict(type='A')",
        "model = open('/etc/passwd')",
        "model = dict(type=__import__('os'))",
        'model = dict(**{})',
        'model = dict([])',
        'a.b = 1',
        'a = b = 1',
        'del a',
        'model = dict(',
        'model = ' + '(' * 5000,
    ],
)
def test_anything_but_plain_values_is_refused(text):
    with pytest.raises(ConfigError, match='zoo://x: the config that it keeps is not made of plain values'):
        read_plain_config(text, 'zoo://x')
