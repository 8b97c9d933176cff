import runpy
import sys

import pytest


@pytest.fixture
def run_converter(monkeypatch, tmp_path, root):
    """``run_converter('stb_to_store.py', *arguments)`` runs a converter in this process, in an empty
    folder.
    """

    def run(name, *arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, 'argv', [name, *(str(argument) for argument in arguments)])
        runpy.run_path(str(root / 'tools' / 'dataset_converters' / name), run_name='__main__')

    return run
