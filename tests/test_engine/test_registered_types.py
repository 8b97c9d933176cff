"""Configs of others: what they may name."""

import pytest

from signbert_mm.apis import list_models
from signbert_mm.apis.model import _config
from signbert_mm.engine.registered_types import check_types
from signbert_mm.errors import ConfigError


@pytest.mark.parametrize(
    'model',
    [
        dict(type='subprocess.Popen', args=['touch', 'x']),
        dict(type='os.system'),
        dict(type='builtins.eval'),
        dict(type='SignRecognizer', backbone=[dict(inner=dict(type='torch.hub.load'))]),
        dict(type='signbert_mm.models.SignRecognizer'),
        dict(type='torch.SignRecognizer'),
        dict(type='antigravity'),
        dict(type='SignRecogniser'),
        dict(type=3),
        dict(type=None),
        dict(type=['SignRecognizer']),
        dict(type='SignRecognizer', _scope_='somewhere'),
    ],
)
def test_what_is_not_registered_is_refused(model):
    with pytest.raises(ConfigError, match='a.json: type .* is not registered here, so nothing was built'):
        check_types(dict(model=model), 'a.json')


def test_what_it_probably_meant():
    with pytest.raises(ConfigError, match="Did you mean 'SignRecognizer'"):
        check_types(dict(type='SignRecogniser'), 'x')


def test_shipped_configs_pass():
    names = [name for name in list_models() if 'fusion' not in name][::12]
    assert len(names) > 3
    for name in names:
        cfg = _config(name)
        if 'MMActionRecognizer' in str(cfg.model.type):
            continue
        check_types(cfg.to_dict(), name)
    check_types(dict(type='signbert_mm.SignRecognizer', a=(dict(type='mmengine.AdamW'),)), 'x')
