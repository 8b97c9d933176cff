"""An exported model in a process where torch, mmengine and OpenCV cannot be imported."""

import os
import subprocess
import sys

import numpy as np
import pytest
from api_toys import SCORES, poses
from toy_graph import expected_scores, write_toy

from signbert_mm.apis import SignInferencer
from signbert_mm.datasets import PoseStoreWriter

pytest.importorskip(
    'onnxruntime', reason='onnxruntime is not installed: pip install -r requirements/deploy.txt'
)

# An import of any of these fails as where the package is not installed.
ABSENT = ['torch', 'mmengine', 'mmcv', 'cv2', 'yaml', 'matplotlib', 'scipy']
START = f"""
import importlib.abc, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {ABSENT}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
sys.meta_path.insert(0, Absent())
for name in {ABSENT}:
    sys.modules[name] = None
import numpy as np
from signbert_mm.apis import SignInferencer
"""


def run(code, *arguments, root):
    """What a new interpreter prints that has none of ``ABSENT``."""
    environment = dict(os.environ, PYTHONPATH=str(root))
    done = subprocess.run(
        [sys.executable, '-c', START + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_poses_stores_and_streams(tmp_path, root):
    """The backend follows from the file's name; the answers are those of a process with torch."""
    path, data = write_toy(tmp_path / 'toy.onnx'), poses(9, 3, joints=42)
    np.save(tmp_path / 'poses.npy', data)
    with PoseStoreWriter(tmp_path / 'store', 'hands_42', ['a', 'b']) as writer:
        writer.add(data, 0, 'test', 'one', width=640, height=480, fps=25)
        writer.close()
    code = """
path, poses, store = sys.argv[1:]
inferencer = SignInferencer(path)
clip = dict(layout='hands_42', image_size=(640, 480), fps=5)
print(*inferencer(np.load(poses), **clip)['predictions'][0]['all_scores'])
print(*inferencer(store, split='test')['predictions'][0]['all_scores'])
print(inferencer.segments(np.load(poses), **clip)[0]['reason'] == '')
recognizer = inferencer.stream_recognizer((640, 480), 5.0, 'hands_42', window=1, stride=1)
print(sum(recognizer.push(pose) is not None for pose in np.load(poses)))
print([name for name in ('numpy', 'onnxruntime', 'torch') if sys.modules.get(name)])
"""
    lines = run(code, path, tmp_path / 'poses.npy', tmp_path / 'store', root=root)
    here = SignInferencer(path)
    answer = here(data, layout='hands_42', image_size=(640, 480))['predictions'][0]
    assert np.allclose(answer['all_scores'], expected_scores(data[answer['frames'], :, :2]), atol=SCORES)
    for line in lines[:2]:
        assert np.allclose([float(word) for word in line.split()], answer['all_scores'], atol=SCORES)
    assert lines[2:] == ['True', '1', "['numpy', 'onnxruntime']"]


def test_videos(tmp_path, root, make_video):
    """PyAV decodes, and an extractor that is given as an object finds the poses."""
    video = make_video(tmp_path / 'sign.mp4', [60] * 12)
    code = """
from signbert_mm.extraction import PoseExtractor
class Still(PoseExtractor):
    def predict(self, items):
        return np.ones((len(items), 133, 3)) * [20, 30, 1]
answer = SignInferencer(sys.argv[1], extractor=Still())(sys.argv[2])['predictions'][0]
print(answer['num_frames'], answer['hand_frames'], *answer['frames'])
"""
    (line,) = run(code, write_toy(tmp_path / 'toy.onnx'), video, root=root)
    frames, hand_frames, *chosen = map(int, line.split())
    assert frames == hand_frames > 6 and len(chosen) == 6


def test_what_needs_more_says_which_extra(tmp_path, root):
    code = """
inferencer = SignInferencer(sys.argv[1])
clip = dict(layout='hands_42', image_size=(640, 480))
poses = np.ones((3, 42, 3)) * [300, 200, 1]
import signbert_mm.apis
def train():
    import signbert_mm.models
calls = [
    train,
    lambda: signbert_mm.apis.init_model,
    lambda: SignInferencer('signbert_d128_finetune', 'x.pth'),
    lambda: inferencer(poses, return_datasamples=True, **clip),
    lambda: inferencer(poses, vis_out_dir='x', **clip),
    lambda: inferencer(0),
    lambda: inferencer.embed(poses, **clip),
]
for call in calls:
    try:
        call()
    except Exception as error:
        print(type(error).__name__, error)
"""
    lines = run(code, write_toy(tmp_path / 'toy.onnx'), root=root)
    assert len(lines) == 7
    for line in lines[:5]:
        assert line.startswith('UserModuleNotFoundError') and "pip install 'signbert_mm[train]'" in line
    assert 'reading a camera needs opencv' in lines[5] and "'signbert_mm[extract]'" in lines[5]
    assert 'needs a model in torch' in lines[6]


def test_rejection(tmp_path, root):
    """The threshold in the file's metadata works without torch; at 0 nothing is known."""
    values = dict(method='max_probability', temperature=1.0, threshold=0.0, false_answers=0.05)
    path = write_toy(tmp_path / 'toy.onnx', rejection=values)
    code = """
inferencer = SignInferencer(sys.argv[1])
answer = inferencer(np.ones((3, 42, 3)) * [300, 200, 1], layout='hands_42', image_size=(640, 480))
answer = answer['predictions'][0]
print(answer['glosses'], len(answer['guesses']) > 0, 'none of these' in answer['reason'])
print(sys.modules.get('torch'))
"""
    assert run(code, path, root=root) == ['[] True True', 'None']


@pytest.mark.parametrize('command', ['teach videos --out x', 'page --model x', 'train x.py', 'doctor'])
def test_the_console_command_says_what_is_missing(tmp_path, root, command):
    code = START + 'from signbert_mm.cli.main import main\nmain(sys.argv[1:])\n'
    done = subprocess.run(
        [sys.executable, '-c', code, *command.split()],
        capture_output=True,
        text=True,
        env=dict(os.environ, PYTHONPATH=str(root)),
        timeout=300,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1 and 'Traceback' not in said
    assert ('torch: not installed' if command == 'doctor' else "pip install 'signbert_mm[train]'") in said


def test_torch_is_not_imported_where_it_is_installed(tmp_path, root):
    code = (
        'import sys\nfrom signbert_mm.apis import SignInferencer\nSignInferencer(sys.argv[1])\n'
        'print({"torch", "mmengine", "cv2", "av"} & set(sys.modules))'
    )
    path = write_toy(tmp_path / 'toy.onnx')
    environment = dict(os.environ, PYTHONPATH=str(root))
    done = subprocess.run(
        [sys.executable, '-c', code, path], capture_output=True, text=True, env=environment, timeout=300
    )
    assert done.stdout.strip() == 'set()', done.stderr[-3000:]


def test_a_file_without_the_suffix_needs_the_backend(tmp_path):
    path = write_toy(tmp_path / 'toy.bin')
    assert SignInferencer(path, backend='onnx').glosses
    with pytest.raises(ValueError, match='toy.bin'):
        SignInferencer(path)
