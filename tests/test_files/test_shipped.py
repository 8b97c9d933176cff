"""Weights of the package by `zoo://NAME`, wherever a checkpoint is taken."""

import pytest

from signbert_mm.errors import ConfigError
from signbert_mm.files import shipped
from signbert_mm.files.checkpoints import load_checkpoint_file


@pytest.fixture
def weights(monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, 'WEIGHTS', tmp_path / 'weights')
    (tmp_path / 'weights').mkdir()
    (tmp_path / 'weights' / 'encoder.pth').write_bytes(b'none yet')
    (tmp_path / 'secret.pth').write_bytes(b'outside')
    return tmp_path / 'weights'


def test_names_are_those_of_the_files(weights):
    assert shipped.list_shipped() == ['encoder']
    assert shipped.resolve_shipped('zoo://encoder') == str(weights / 'encoder.pth')


def test_other_names_come_back(weights):
    assert shipped.resolve_shipped('work_dirs/epoch_1.pth') == 'work_dirs/epoch_1.pth'
    assert shipped.resolve_shipped(weights / 'encoder.pth') == str(weights / 'encoder.pth')


@pytest.mark.parametrize('name', ['encodr', '../secret', 'encoder.pth', '', '/etc/passwd'])
def test_an_unknown_name_is_no_path(weights, name):
    with pytest.raises(ConfigError, match='no such weights come with the package.*encoder'):
        load_checkpoint_file(f'zoo://{name}')
