import sys

import numpy as np
import pytest
from source_files import load_file

from signbert_mm.hand_models.asset import FREE_HASH


@pytest.fixture
def run(monkeypatch, capsys):
    tool = load_file('tools/misc/make_free_hand.py')

    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', ['make_free_hand.py', *map(str, arguments)])
        assert tool.main() == 0
        return capsys.readouterr().out

    return call


def test_writes_the_hand_of_this_version(run, free, tmp_path):
    out = run(tmp_path / 'new' / 'hand.npz')
    assert f'hash {FREE_HASH} (the hash of this version)' in out
    with np.load(tmp_path / 'new' / 'hand.npz', allow_pickle=False) as file:
        np.testing.assert_allclose(file['template'], free.template, rtol=0, atol=1e-9)
