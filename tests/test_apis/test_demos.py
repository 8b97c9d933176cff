"""demo/video_demo.py, demo/webcam_demo.py and reconstruct.py --input, from a small video, with an extractor that needs no package."""

import json
import runpy
import sys

import cv2
import pytest
from api_toys import GLOSSES, ColourExtractor, frames_of

from signbert_mm.registry import EXTRACTORS


@pytest.fixture
def run(root, monkeypatch, tmp_path, capsys):
    """``run('demo/video_demo.py', *arguments)`` in this process and in an empty folder; gives what it printed."""
    EXTRACTORS.import_from_location()
    EXTRACTORS.register_module(name='colour', module=ColourExtractor, force=True)

    def call(name, *arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
        runpy.run_path(str(root / name), run_name='__main__')
        return capsys.readouterr().out

    yield call
    EXTRACTORS.module_dict.pop('colour')


@pytest.fixture
def model(house):
    """Options that name the recogniser."""
    config, checkpoint = house['recogniser']
    return ['--config', config, '--checkpoint', checkpoint, '--extractor', 'colour', '--device', 'cpu']


def test_video_demo(run, model, make_video, tmp_path):
    video = make_video(tmp_path / 'sign.mp4', [40] * 12 + [0] * 4)
    run('demo/video_demo.py', video, *model)
    told = json.loads((tmp_path / 'work_dirs' / 'video_demo' / 'sign.json').read_text())
    assert sorted(told['glosses']) == sorted(GLOSSES) and told['num_frames'] == 16 and told['hand_frames'] == 12
    assert len(frames_of(tmp_path / 'work_dirs' / 'video_demo' / 'sign.mp4')) == 16
    run('demo/video_demo.py', video, *model, '--window', '0.6', '--stride', '0.2', '--enter', '0.2', '--leave', '0.1', '--out', 'long.mp4')
    told = json.loads((tmp_path / 'long.json').read_text())
    assert told['windows'][-1]['end'] == 1.6 and told['segments'] and all(sign['gloss'] in GLOSSES for sign in told['segments'])
    assert len(frames_of(tmp_path / 'long.mp4')) == 16


def test_video_demo_says_what_is_wrong(run, model, house, tmp_path):
    (tmp_path / 'text.mp4').write_text('no video at all, but text\n' * 20)
    with pytest.raises(SystemExit, match=r'VideoError: .*text\.mp4'):
        run('demo/video_demo.py', tmp_path / 'text.mp4', *model)
    with pytest.raises(SystemExit, match='run `make demo`'):
        run('demo/video_demo.py', tmp_path / 'text.mp4')
    with pytest.raises(SystemExit, match='`weights` is missing'):
        run('demo/video_demo.py', tmp_path / 'text.mp4', '--config', house['recogniser'][0])


def test_webcam_demo_on_a_video(run, model, make_video, tmp_path):
    video = make_video(tmp_path / 'sign.mp4', [40] * 20)
    printed = run('demo/webcam_demo.py', '--camera', video, *model, '--window', '0.5', '--stride', '0.3', '--no-window', '--out', 'seen.mp4')
    assert '20 frames' in printed and 'latency of a window' in printed and printed.count('latency') == 7
    assert len(frames_of(tmp_path / 'seen.mp4')) == 20
    with pytest.raises(SystemExit, match='camera 97 cannot be opened'):
        run('demo/webcam_demo.py', '--camera', '97', *model, '--no-window')


def test_reconstruct_from_a_video(run, house, make_video, tmp_path):
    make_video(tmp_path / 'videos.mp4', [40] * 9)
    config, checkpoint = house['pretrainer']
    run('tools/visualization/reconstruct.py', config, checkpoint, '--input', tmp_path / 'videos.mp4', '--extractor', 'colour', '--out', 'pictures')
    assert cv2.imread(str(tmp_path / 'pictures' / 'clip_000000.png')).std() > 5
    run('tools/visualization/reconstruct.py', config, checkpoint, '--input', house['store'], '--index', 4, 6, '--out', 'pictures', '--no-mesh')
    assert len(list((tmp_path / 'pictures').iterdir())) == 3
    with pytest.raises(SystemExit, match='no clip was drawn'):
        run('tools/visualization/reconstruct.py', config, checkpoint, '--input', house['store'], '--index', 99, '--out', 'pictures')
