"""How tools end."""

import linecache
import os
import runpy
import sys

import pytest

from signbert_mm.engine.runner import launch, run_tool


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


def refused():
    raise PermissionError(13, 'Permission denied', 'ro/out.parts')


def a_file_as_folder(tmp_path):
    (tmp_path / 'file').write_text('')
    os.makedirs(tmp_path / 'file' / 'out')


def test_a_place_that_cannot_be_written_ends_in_one_line(monkeypatch, tmp_path):
    monkeypatch.delenv('SIGNBERT_MM_TRACEBACK', raising=False)
    with pytest.raises(SystemExit, match='^PermissionError: ro/out.parts: Permission denied; this user may not') as error:
        run_tool(refused)
    assert '\n' not in error.value.code
    with pytest.raises(SystemExit, match='^NotADirectoryError: .*file/out: Not a directory; a part of this path is a file'):
        run_tool(lambda: a_file_as_folder(tmp_path))
    with pytest.raises(ZeroDivisionError):  # a fault of the program keeps its traceback
        run_tool(lambda: 1 / 0)
    monkeypatch.setenv('SIGNBERT_MM_TRACEBACK', '1')
    with pytest.raises(PermissionError):
        run_tool(refused)


@pytest.mark.parametrize('folder', ['tools', 'demo', 'benchmarks'])
def test_errors_of_tools_and_demos_are_for_people(root, folder):
    names = {}
    exec(compile("def main():\n    raise ValueError('--smooth must be at least 1')\n", str(root / folder / 'made_up.py'), 'exec'), names)
    line = "    raise ValueError('--smooth must be at least 1')\n"
    linecache.cache[str(root / folder / 'made_up.py')] = (0, None, ['def main():\n', line], 'x')
    with pytest.raises(SystemExit, match='^ValueError: --smooth must be at least 1$'):
        run_tool(names['main'])


def test_the_reader_of_a_pipe_has_gone(monkeypatch):
    monkeypatch.setattr(launch, '_drop_output', lambda: None)

    def printing():
        raise BrokenPipeError(32, 'Broken pipe')

    with pytest.raises(SystemExit) as error:
        run_tool(printing)
    assert error.value.code == 1


def test_outputs_are_checked_before_the_work(root, tmp_path, monkeypatch, capsys):
    (tmp_path / 'file').write_text('')
    out = str(tmp_path / 'file' / 'x.json')
    for tool, arguments in (
        ('tools/test.py', ['CONFIG', 'CHECKPOINT', '--out', out]),
        ('tools/build_dictionary.py', ['CONFIG', 'CHECKPOINT', out]),
        ('tools/analysis_tools/run_table.py', ['table4', '--work-dir', out]),
        ('tools/visualization/pretraining_curve.py', ['work', '--out', out]),
        ('demo/video_demo.py', ['sign.mp4', '--out', out]),
    ):
        monkeypatch.setattr(sys, 'argv', [tool, *arguments])
        with pytest.raises(SystemExit) as error:
            runpy.run_path(str(root / tool), run_name='__main__')
        said = capsys.readouterr().err
        assert error.value.code == 2 and f'{out}: Not a directory; a part of this path is a file' in said, said
