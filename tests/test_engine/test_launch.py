"""How tools end."""

import pytest

from signbert_mm.engine.runner import run_tool


def interrupted():
    raise KeyboardInterrupt


def test_ctrl_c_ends_in_one_line(monkeypatch, capsys):
    monkeypatch.delenv('SIGNBERT_MM_TRACEBACK', raising=False)
    with pytest.raises(SystemExit) as error:
        run_tool(interrupted)
    assert error.value.code == 130 and capsys.readouterr().err == 'interrupted\n'


def test_ctrl_c_shows_the_traceback_where_asked(monkeypatch):
    monkeypatch.setenv('SIGNBERT_MM_TRACEBACK', '1')
    with pytest.raises(KeyboardInterrupt):
        run_tool(interrupted)
