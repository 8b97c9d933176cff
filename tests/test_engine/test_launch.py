"""How tools end."""

import errno
import os
import signal

import pytest

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
    assert error.value.code == 143 and capsys.readouterr().err == 'SIGTERM: stopped after epoch 1; go on with --resume\n'


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
    with pytest.raises(SystemExit, match=r"No space left on device: 'w/epoch_1\.pth'\. Nothing is half-written; free space"):
        run_tool(full)


def test_the_first_process_by_the_launchers_environment(monkeypatch):
    for launcher, name in (('pytorch', 'RANK'), ('slurm', 'SLURM_PROCID'), ('mpi', 'OMPI_COMM_WORLD_RANK')):
        monkeypatch.delenv(name, raising=False)
        assert is_first_process(launcher)
        monkeypatch.setenv(name, '1')
        assert not is_first_process(launcher) and is_first_process('none')
