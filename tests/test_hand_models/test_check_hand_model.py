import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest
from source_files import load_file

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'misc' / 'check_hand_model.py'


@pytest.fixture
def run(monkeypatch, capsys):
    tool = load_file('tools/misc/check_hand_model.py')

    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
        code = tool.main()
        return SimpleNamespace(returncode=code, **capsys.readouterr()._asdict())

    return call


def test_free_hand_and_pictures(run, free, tmp_path):
    done = run('free', '--draw', tmp_path / 'hand.png')
    assert done.returncode == 0, done.err
    assert 'side right' in done.out and free.hash in done.out and 'WHOLE' in done.out
    index = next(line for line in done.out.splitlines() if line.startswith('index'))
    assert '41.0' in index and '24.0' in index
    picture = cv2.imread(str(tmp_path / 'hand.png'))
    assert picture is not None and picture.std() > 5


def test_mano_like_file(run, write_mano):
    done = run(write_mano())
    assert done.returncode == 0, done.err
    for part in ('v_template', '(778, 3, 135)', 'Chumpy', 'SparseColumns', 'uint32', 'pose_basis', 'bs_type'):
        assert part in done.out


@pytest.mark.parametrize(
    'content, reason',
    [(b'cos\nsystem\n(S"true"\ntR.', 'asks for os.system'), (b'', '0 bytes that are not a whole')],
)
def test_reason_and_exit_code(run, tmp_path, content, reason):
    path = tmp_path / 'MANO_RIGHT.pkl'
    path.write_bytes(content)
    done = run(path)
    assert done.returncode == 1 and reason in done.err and 'Traceback' not in done.err


def test_missing_file_from_the_shell(tmp_path):
    done = subprocess.run(
        [sys.executable, str(TOOL), str(tmp_path / 'none.pkl')], capture_output=True, text=True
    )
    assert done.returncode == 1 and 'none.pkl' in done.stderr and 'Traceback' not in done.stderr
