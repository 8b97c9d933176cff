"""Videos of even grey, an extractor that reads signs from them, and a narrow encoder."""

import sys

import pytest
from grey_encoder import save_encoder
from grey_videos import EXTRACTOR, make_signs
from mmengine.logging import MMLogger

from signbert_mm.cli.main import main


@pytest.fixture(scope='session')
def encoder(tmp_path_factory):
    """A checkpoint of a narrow pre-training, whose meta has its config."""
    return save_encoder(tmp_path_factory.mktemp('encoder'))


@pytest.fixture
def my_videos(tmp_path):
    """Twelve videos: four signs of three signers."""
    return make_signs(tmp_path / 'my_videos')


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """``run('teach', ...)``: the console command in this process and folder; gives what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', ['signbert-mm'])

    def call(*arguments):
        main([str(argument) for argument in arguments])
        return capsys.readouterr().out

    level = MMLogger.get_current_instance().level
    yield call
    # The command leaves out what the libraries log; other tests read it.
    MMLogger.get_current_instance().setLevel(level)


@pytest.fixture
def taught(run, my_videos, encoder, tmp_path):
    """A folder of taught signs."""
    run('teach', my_videos, '--out', 'my_signs', '--encoder', encoder, '--extractor', EXTRACTOR)
    return tmp_path / 'my_signs'
