"""Help is quick: it imports neither torch nor mmengine; and it has an example."""

import os
import subprocess
import sys

import pytest

HEAVY = ('torch', 'mmengine', 'cv2', 'mediapipe', 'numpy', 'matplotlib')
# What a fresh process prints last: the heavy modules that it has imported.
PROBE = """import runpy, sys
sys.argv = {argv!r}
try:
    {call}
except SystemExit as end:
    assert not end.code, end.code
print('IMPORTED', *[name for name in {heavy!r} if name in sys.modules])
"""
COMMANDS = ('', 'teach', 'recognise', 'page', 'doctor', 'extract', 'train', 'test', 'export')
TOOLS = ('train.py', 'test.py', 'extract_poses.py', 'deployment/export_onnx.py')


def last_lines(root, argv, call):
    code = PROBE.format(argv=argv, call=call, heavy=HEAVY)
    env = dict(os.environ, PYTHONPATH=str(root))
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, env=env, check=True)
    return done.stdout


@pytest.mark.parametrize('command', COMMANDS)
def test_help(root, command):
    argv = ['signbert-mm', *command.split(), '--help']
    said = last_lines(root, argv, "runpy.run_module('signbert_mm', run_name='__main__')")
    assert said.splitlines()[-1] == 'IMPORTED'
    assert f'signbert-mm {command}'.strip() in said and 'usage: signbert-mm' in said
    # An example, with the command itself.
    example = [line for line in said.splitlines() if line.strip(' Example:').startswith('signbert-mm ')]
    assert any(command in line for line in example)


@pytest.mark.parametrize('tool', TOOLS)
def test_help_of_tools(root, tool):
    path = str(root / 'tools' / tool)
    said = last_lines(root, [path, '--help'], f'runpy.run_path({path!r}, run_name="__main__")')
    assert said.splitlines()[-1] == 'IMPORTED' and 'usage:' in said


def test_version_and_wrong_words(run, capsys):
    from signbert_mm.version import __version__

    with pytest.raises(SystemExit) as end:
        run('--version')
    assert end.value.code == 0 and __version__ in capsys.readouterr().out
    for arguments in ([], ['teech'], ['teach', 'videos'], ['recognise', 'a.mp4']):
        with pytest.raises(SystemExit) as end:
            run(*arguments)
        assert end.value.code == 2
