"""Packages whose names are imported on first use, lines of the log, and the messages about extras."""

import importlib
import logging
import subprocess
import sys

import pytest

import signbert_mm
from signbert_mm import extras, logs


@pytest.mark.parametrize('package', ['apis', 'datasets', 'extraction'])
def test_every_public_name_is_there(package):
    module = importlib.import_module(f'signbert_mm.{package}')
    assert len(module.__all__) > 8 and len(set(module.__all__)) == len(module.__all__)
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        # A function keeps its name also where a module has the same one.
        assert getattr(module, name) is not None and not (
            name in ('extract_folder', 'find_videos') and isinstance(getattr(module, name), type(sys))
        )
    with pytest.raises(AttributeError, match=f"module 'signbert_mm.{package}' has no attribute 'Absent'"):
        module.Absent  # noqa: B018


def test_a_package_that_is_missing_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, 'cv2', None)
    with pytest.raises(ImportError, match=r'reading images needs opencv-python-headless.*\[extract\]'):
        extras.need('cv2', 'reading images', 'extract')
    monkeypatch.setitem(sys.modules, 'torch', None)
    with pytest.raises(ModuleNotFoundError, match=r"training needs torch.*'signbert_mm\[train\]'") as raised:
        extras.check_installed(['json', 'torch'], 'training', 'train')
    assert raised.value.name == 'torch'


def test_lines_go_to_mmengine_where_it_is_in_use(monkeypatch, caplog):
    lines = []

    class Engine:
        @staticmethod
        def print_log(msg, logger, level):
            lines.append((msg, logger, level))

    monkeypatch.setitem(sys.modules, 'mmengine.logging', Engine)
    logs.print_log('one', 'current', logging.WARNING)
    assert lines == [('one', 'current', logging.WARNING)]
    monkeypatch.delitem(sys.modules, 'mmengine.logging')
    with caplog.at_level(logging.INFO, 'signbert_mm'):
        logs.print_log('two')
    assert caplog.record_tuples == [('signbert_mm', logging.INFO, 'two')]


def test_importing_the_package_is_light(root):
    code = 'import sys, signbert_mm, signbert_mm.apis, signbert_mm.datasets\nprint("torch" in sys.modules)'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=root, timeout=300)
    assert done.stdout == 'False\n', done.stderr
    assert signbert_mm.__version__
