"""Configs that are read and not run."""

import pytest
from mmengine.config import Config

from signbert_mm.engine.runner import read_plain_config
from signbert_mm.errors import ConfigError


def test_it_reads_what_a_config_prints(root):
    cfg = Config.fromfile(root / 'configs' / 'words33' / 'signbert_d128_finetune.py')
    read = read_plain_config(cfg.pretty_text, 'x')
    assert read.to_dict() == cfg.to_dict() and read.pretty_text == cfg.pretty_text
    assert isinstance(read.model.embedder.gesture.joint_channels, tuple)


@pytest.mark.parametrize(
    'text, message',
    [
        ('import os', 'line 1: `name = value` is expected'),
        ('a = 1\nb = open("x")', 'line 2: b is no plain value'),
        ('a = b = 1', '`name = value`'),
        ('a.b = 1', '`name = value`'),
        ('a = dict(**{})', 'a is no plain value'),
        ('a = [i for i in (1, 2)]', 'a is no plain value'),
        ('a = (', 'cannot be read'),
        ('a = "\0"', 'cannot be read'),
    ],
)
def test_nothing_else_is_taken(text, message):
    with pytest.raises(ConfigError, match=f'encoder.pth.*{message}'):
        read_plain_config(text, 'encoder.pth')
