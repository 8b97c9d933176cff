"""How tools end."""

import ast
import errno
import os
import runpy
import signal
import sys

import pytest

from signbert_mm import errors, run_command
from signbert_mm.engine.runner import run_tool
from signbert_mm.engine.runner.launch import is_first_process
from signbert_mm.engine.runner.signals import TrainingStopped, watching


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


def test_a_stopped_training_ends_in_its_line(capsys):
    def stopped():
        raise TrainingStopped('SIGTERM: stopped after epoch 1; go on with --resume')

    with pytest.raises(SystemExit) as error:
        run_tool(stopped)
    assert error.value.code == 143 and capsys.readouterr().err == (
        'SIGTERM: stopped after epoch 1; go on with --resume\n'
    )


def test_sigterm_leaves_through_every_with(tmp_path):
    """So a converter removes what it has half written."""
    done = []

    def convert():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            done.append('not stopped')
        finally:
            done.append('cleaned')

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as error:
        run_tool(convert)
    assert error.value.code == 143 and done == ['cleaned'] and signal.getsignal(signal.SIGTERM) is before


def test_a_forked_child_ends_at_once(tmp_path):
    def fork():
        child = os.fork()
        if not child:
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    done = []
    run_tool(lambda: done.append(fork()))
    with watching() as flag:
        done.append(fork())
    assert done == [-signal.SIGTERM] * 2 and not flag.asked


def test_a_handler_of_somebody_else_stays():
    asked = []
    before = signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
    try:
        with watching() as flag:
            os.kill(os.getpid(), signal.SIGTERM)
            assert not flag.asked and asked == [1]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_full_disk_is_said_in_one_line(monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, 'No space left on device', 'w/epoch_1.pth')

    monkeypatch.delenv('SIGNBERT_MM_TRACEBACK', raising=False)
    with pytest.raises(
        SystemExit,
        match=r'w/epoch_1\.pth: No space left on device; free space, .*nothing is '
        r'half-written$',
    ):
        run_tool(full)


def test_the_first_process_by_the_launchers_environment(monkeypatch):
    for launcher, name in (('pytorch', 'RANK'), ('slurm', 'SLURM_PROCID'), ('mpi', 'OMPI_COMM_WORLD_RANK')):
        monkeypatch.delenv(name, raising=False)
        assert is_first_process(launcher)
        monkeypatch.setenv(name, '1')
        assert not is_first_process(launcher) and is_first_process('none')


def refused():
    raise PermissionError(13, 'Permission denied', 'ro/out.parts')


def a_file_as_folder(tmp_path):
    (tmp_path / 'file').write_text('')
    os.makedirs(tmp_path / 'file' / 'out')


def test_a_place_that_cannot_be_written_ends_in_one_line(monkeypatch, tmp_path):
    monkeypatch.delenv('SIGNBERT_MM_TRACEBACK', raising=False)
    with pytest.raises(
        SystemExit, match='^PermissionError: ro/out.parts: Permission denied; this user may not'
    ) as error:
        run_tool(refused)
    assert '\n' not in error.value.code
    with pytest.raises(
        SystemExit, match='^NotADirectoryError: .*file/out: Not a directory; a part of this path is a file'
    ):
        run_tool(lambda: a_file_as_folder(tmp_path))
    with pytest.raises(ZeroDivisionError):  # a fault of the program keeps its traceback
        run_tool(lambda: 1 / 0)
    monkeypatch.setenv('SIGNBERT_MM_TRACEBACK', '1')
    with pytest.raises(PermissionError):
        run_tool(refused)


@pytest.mark.parametrize(
    'error', [ValueError, TypeError, KeyError, IndexError, RuntimeError, ModuleNotFoundError]
)
def test_errors_for_people_end_in_one_line_and_others_with_their_traceback(monkeypatch, error):
    monkeypatch.delenv('SIGNBERT_MM_TRACEBACK', raising=False)
    kind = getattr(errors, f'User{error.__name__}')
    assert issubclass(kind, error)

    def fail(kind):
        raise kind('--smooth must be at least 1')

    with pytest.raises(SystemExit, match=f'^{error.__name__}: --smooth must be at least 1$'):
        run_tool(lambda: fail(kind))
    with pytest.raises(error, match='--smooth must'):
        run_tool(lambda: fail(error))


def test_what_is_raised_is_meant_for_people(root):
    """A plain ``ValueError`` would end a tool with a traceback."""
    plain = {name.removeprefix('User') for name in vars(errors) if name.startswith('User')} | {'ImportError'}
    found = []
    for folder in ('signbert_mm', 'tools', 'demo', 'benchmarks'):
        for path in sorted((root / folder).rglob('*.py')):
            for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
                call = node.exc if isinstance(node, ast.Raise) else None
                if isinstance(call, ast.Call) and getattr(call.func, 'id', None) in plain:
                    found.append(f'{path}:{node.lineno}')
    assert found == []


def test_the_reader_of_a_pipe_has_gone(monkeypatch):
    monkeypatch.setattr(run_command, '_drop_output', lambda: None)

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
        assert error.value.code == 2 and f'{out}: Not a directory; a part of this path is a file' in said, (
            said
        )
