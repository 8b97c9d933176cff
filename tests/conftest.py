"""What every test shares: one thread, the toys, and the tools run in this process."""

import itertools
import os
import runpy
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
TOYS = ROOT / 'tests' / 'toys'
sys.path.insert(0, str(TOYS))
torch.set_num_threads(1)
_names = itertools.count()


@pytest.fixture(scope='session')
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture
def shared() -> Path:
    """Clips for development that are not part of the repository; the test is skipped where they are
    absent.
    """
    folder = Path(os.environ.get('SIGNBERT_MM_SHARED', ROOT.parent / 'shared'))
    if not folder.is_dir():
        pytest.skip(f'no development clips at {folder} (SIGNBERT_MM_SHARED)')
    return folder


@pytest.fixture
def toy_config(tmp_path):
    """``toy_config(**changes)``: the toy config with dotted keys changed (``__`` for a dot), a work dir and a
    name of its own.
    """
    from mmengine.config import Config

    def make(**changes):
        cfg = Config.fromfile(TOYS / 'toy_config.py')
        cfg.merge_from_dict({key.replace('__', '.'): value for key, value in changes.items()})
        cfg.setdefault('work_dir', str(tmp_path / 'work'))
        cfg.experiment_name = f'toy{next(_names)}'  # mmengine's hubs are global and named by the second
        cfg.log_level = 'WARNING'
        return cfg

    return make


@pytest.fixture
def toy_runner(toy_config):
    """``toy_runner(**changes)``: a Runner of that config."""
    from mmengine.runner import Runner

    return lambda **changes: Runner.from_cfg(toy_config(**changes))


@pytest.fixture
def run_tool(monkeypatch, tmp_path):
    """``run_tool('train.py', *arguments)`` runs a tool of ``tools/`` in this process, in an empty folder."""

    def run(name, *arguments):
        arguments = [str(argument) for argument in arguments]
        if '--cfg-options' not in arguments:
            arguments.append('--cfg-options')
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, 'argv', [name, *arguments, f'experiment_name=toy{next(_names)}'])
        runpy.run_path(str(ROOT / 'tools' / name), run_name='__main__')

    return run


@pytest.fixture
def toy_file() -> str:
    """The toy config's path."""
    return str(TOYS / 'toy_config.py')


@pytest.fixture(autouse=True)
def restored_default_scope():
    """A test that runs mmpose or mmaction2 leaves their scope behind, in which ours find nothing."""
    from mmengine.registry import DefaultScope

    saved = dict(DefaultScope._instance_dict)
    yield
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(saved)
