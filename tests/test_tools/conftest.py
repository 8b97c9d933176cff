import sys

import pytest
from source_files import load_file


@pytest.fixture
def run_file(monkeypatch, capsys):
    """``run_file(folder)(name, *arguments)`` runs a tool of that folder in this process and gives what it
    printed.
    """

    def of(folder):
        def run(name, *arguments):
            monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
            load_file(f'{folder}/{name}.py').main()
            return capsys.readouterr().out

        return run

    return of
