"""demo/video_demo.py, demo/webcam_demo.py and reconstruct.py --input, from a small video, with an extractor
that needs no package.
"""

import importlib
import json
import runpy
import sys

import cv2
import numpy as np
import pytest
import torch
from api_toys import GLOSSES, ColourExtractor, frames_of
from mmengine.config import Config

from signbert_mm.apis import model as models
from signbert_mm.apis.subtitles import read_eaf
from signbert_mm.files import shipped
from signbert_mm.files.checkpoints import load_checkpoint_file
from signbert_mm.registry import EXTRACTORS


@pytest.fixture(autouse=True)
def package_without_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, 'WEIGHTS', tmp_path / 'weights')


@pytest.fixture
def run(root, monkeypatch, tmp_path, capsys):
    """``run('demo/video_demo.py', *arguments)`` in this process and in an empty folder; gives what it
    printed.
    """
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
    assert (
        sorted(told['glosses']) == sorted(GLOSSES) and told['num_frames'] == 16 and told['hand_frames'] == 12
    )
    assert len(frames_of(tmp_path / 'work_dirs' / 'video_demo' / 'sign.mp4')) == 16
    said = run(
        'demo/video_demo.py',
        video,
        *model,
        '--window',
        '0.6',
        '--stride',
        '0.2',
        '--enter',
        '0.2',
        '--leave',
        '0.1',
        '--out',
        'long.mp4',
        '--elan',
        'long.eaf',
        '--vtt',
        'long.vtt',
    )
    told = json.loads((tmp_path / 'long.json').read_text())
    rows = read_eaf(tmp_path / 'long.eaf').scored('signer')
    assert [row[2] for row in rows] == [sign['gloss'] for sign in told['segments']]
    np.testing.assert_allclose(
        [(row[0], row[1], row[3]) for row in rows],
        [(sign['start'], sign['end'], sign['score']) for sign in told['segments']],
        atol=5.1e-4,
    )
    assert (tmp_path / 'long.vtt').read_text().count(' --> ') == len(rows)
    assert (
        told['windows'][-1]['end'] == 1.6
        and told['segments']
        and all(sign['gloss'] in GLOSSES for sign in told['segments'])
    )
    assert len(frames_of(tmp_path / 'long.mp4')) == 16
    assert said.endswith('Written: long.mp4, long.json, long.eaf, long.vtt\n')


def test_video_demo_says_why_it_found_no_sign(run, model, make_video, tmp_path, root, monkeypatch):
    windows = ['--window', '0.6', '--stride', '0.2', '--enter', '1']
    said = run('demo/video_demo.py', make_video(tmp_path / 'sign.mp4', [60] * 16), *model, *windows)
    count = len(json.loads((tmp_path / 'work_dirs' / 'video_demo' / 'sign.json').read_text())['windows'])
    assert count and (
        f'No sign was found: no sign reached the score of --enter, 1, in any of {count} windows.' in said
    )
    monkeypatch.syspath_prepend(str(root / 'demo'))
    demo = importlib.import_module('video_demo')
    windows = [dict(reason=text) for text in ('none of these signs', '', 'none of these signs', 'no hand')]
    assert demo.nothing_found(dict(windows=windows), 0.6) == 'none of these signs (2 of 4 windows)'


def test_video_demo_says_what_is_wrong(run, model, house, tmp_path, monkeypatch):
    (tmp_path / 'text.mp4').write_text('no video at all, but text\n' * 20)
    with pytest.raises(SystemExit, match=r'VideoError: .*text\.mp4'):
        run('demo/video_demo.py', tmp_path / 'text.mp4', *model)
    # Nothing that is read is replaced.
    with pytest.raises(SystemExit, match='text.mp4 is read, and what is written would replace it'):
        run('demo/video_demo.py', tmp_path / 'text.mp4', *model, '--out', tmp_path / 'text.mp4')
    with pytest.raises(SystemExit, match='a.json is named for two outputs'):
        run('demo/video_demo.py', tmp_path / 'text.mp4', *model, '--out', 'a.mp4', '--elan', 'a.json')
    monkeypatch.setenv('SIGNBERT_MM_ZOO', str(tmp_path / 'zoo'))
    for config in ([], ['--config', 'signbert_d128_finetune_synthetic']):
        with pytest.raises(
            SystemExit,
            match=r'no recogniser in the zoo folder \(`make zoo`\).*run `make '
            r'demo`',
        ):
            run('demo/video_demo.py', tmp_path / 'text.mp4', *config)
    with pytest.raises(SystemExit, match=r'signbert_d128_finetune_pool-.*is not there: `make zoo` builds it'):
        run('demo/video_demo.py', tmp_path / 'text.mp4', '--config', 'signbert_d128_finetune_pool')
    with pytest.raises(SystemExit, match='`weights` is missing'):
        run('demo/video_demo.py', tmp_path / 'text.mp4', '--config', house['recogniser'][0])


SYNTHETIC = [f'gloss_{number:03d}' for number in range(4)]


def test_video_demo_without_a_model_says_which_one_answers(run, toy_zoo, make_video, tmp_path):
    video = make_video(tmp_path / 'sign.mp4', [40] * 12)
    options = ['--extractor', 'colour', '--device', 'cpu']
    made_up = toy_zoo('signbert_d128_finetune_synthetic', SYNTHETIC)
    said = run('demo/video_demo.py', video, *options)
    assert (
        f'Model: signbert_d128_finetune_synthetic, {made_up}. It knows the glosses of '
        'signbert_d128_finetune_synthetic.'
    ) in said
    assert 'For real signs run make zoo; --config and --checkpoint (or --onnx) name another' in said
    assert 'knows no sign language: its answer means nothing' in said
    path = toy_zoo('toy_of_real_signs', GLOSSES)
    said = run('demo/video_demo.py', video, *options)
    assert (
        f'Model: toy_of_real_signs, {path}. It knows the glosses of toy_of_real_signs. --config and '
        '--checkpoint'
    ) in said
    assert 'make zoo' not in said and 'no sign language' not in said
    assert set(
        json.loads((tmp_path / 'work_dirs' / 'video_demo' / 'sign.json').read_text())['glosses']
    ) == set(GLOSSES)
    # a name alone: its release file
    said = run('demo/video_demo.py', video, *options, '--config', 'signbert_d128_finetune_synthetic')
    assert 'Model:' not in said and 'knows no sign language: its answer means nothing' in said
    said = run('demo/webcam_demo.py', '--camera', video, *options, '--window', '0.5', '--no-window')
    assert 'Model: toy_of_real_signs' in said


def test_video_demo_with_the_model_of_make_demo(run, house, make_video, monkeypatch, tmp_path):
    config, checkpoint = house['recogniser']
    monkeypatch.setenv('SIGNBERT_MM_ZOO', str(tmp_path / 'none'))
    monkeypatch.setattr(models, '_shipped', lambda: dict(signbert_d128_finetune_synthetic=config))
    content = load_checkpoint_file(checkpoint)
    content['meta'].update(glosses=SYNTHETIC, iter=9)
    folder = tmp_path / 'work_dirs' / 'demo' / 'pretrained'
    folder.mkdir(parents=True)
    torch.save(content, folder / 'epoch_3.pth')
    said = run(
        'demo/video_demo.py',
        make_video(tmp_path / 'sign.mp4', [40] * 6),
        '--extractor',
        'colour',
        '--device',
        'cpu',
    )
    assert (
        'Model: signbert_d128_finetune_synthetic, work_dirs/demo/pretrained/epoch_3.pth. It knows 30 '
        'synthetic glosses'
    ) in said
    assert 'its answer means nothing as a sign' in said


def test_rest_is_no_sign(run, toy_zoo, make_video, tmp_path, inferencer):
    video = make_video(tmp_path / 'sign.mp4', [40] * 16)
    best = inferencer(video)['predictions'][0]['labels'][0]
    glosses = ['water', 'tea', 'no']
    glosses.insert(best, '-')
    toy_zoo('toy_of_real_signs', glosses)
    options = [video, '--extractor', 'colour', '--device', 'cpu']
    assert '"-" is rest: none of its signs.' in run('demo/video_demo.py', *options)
    windows = ['--window', '0.6', '--stride', '0.2', '--enter', '0.2', '--leave', '0.1', '--out', 'long.mp4']
    found = []
    for ignore in ([], ['--ignore'], ['--ignore', '-', 'tea']):
        run('demo/video_demo.py', *options, *windows, *ignore)
        found.append({sign['gloss'] for sign in json.loads((tmp_path / 'long.json').read_text())['segments']})
    assert '-' not in found[0] and found[1] == {'-'} and not found[2] & {'-', 'tea'}


def test_webcam_demo_on_a_video(run, model, make_video, tmp_path):
    video = make_video(tmp_path / 'sign.mp4', [40] * 20)
    printed = run(
        'demo/webcam_demo.py',
        '--camera',
        video,
        *model,
        '--window',
        '0.5',
        '--stride',
        '0.3',
        '--no-window',
        '--out',
        'seen.mp4',
    )
    assert '20 frames' in printed and 'latency of a window' in printed and printed.count('latency') == 7
    assert len(frames_of(tmp_path / 'seen.mp4')) == 20
    with pytest.raises(SystemExit, match='camera 97 cannot be opened'):
        run('demo/webcam_demo.py', '--camera', '97', *model, '--no-window')


def test_webcam_demo_answers_for_a_short_video_and_ends_in_time(run, model, make_video, tmp_path):
    video = make_video(tmp_path / 'sign.mp4', [40] * 20)
    options = ['--camera', video, *model, '--no-window', '--window']
    printed = run('demo/webcam_demo.py', *options, '5')
    assert '    2.00 s  ' in printed and '20 frames' in printed
    printed = run('demo/webcam_demo.py', *options, '0.6', '--stride', '0.6', '--seconds', '1')
    assert [line.split()[0] for line in printed.splitlines()[:2]] == ['0.60', '1.00']
    assert '10 frames' in printed


def test_video_demo_keeps_to_the_times_of_the_frames(run, model, make_video, tmp_path):
    video = make_video(tmp_path / 'pause.mp4', [40] * 24, places=[*range(12), *range(60, 72)])
    windows = ['--window', '0.6', '--stride', '0.3', '--enter', '0.2', '--leave', '0.1', '--out', 'long.mp4']
    run('demo/video_demo.py', video, *model, *windows)
    first, last = json.loads((tmp_path / 'long.json').read_text())['segments']
    assert first['end'] < 2 and last['start'] > 5 and last['end'] == pytest.approx(7.2, abs=0.3)


def test_reconstruct_from_a_video(run, house, make_video, tmp_path):
    make_video(tmp_path / 'videos.mp4', [40] * 9)
    config, checkpoint = house['pretrainer']
    run(
        'tools/visualization/reconstruct.py',
        config,
        checkpoint,
        '--input',
        tmp_path / 'videos.mp4',
        '--extractor',
        'colour',
        '--out',
        'pictures',
    )
    assert cv2.imread(str(tmp_path / 'pictures' / 'clip_000000.png')).std() > 5
    run(
        'tools/visualization/reconstruct.py',
        config,
        checkpoint,
        '--input',
        house['store'],
        '--index',
        4,
        6,
        '--out',
        'pictures',
        '--no-mesh',
    )
    assert len(list((tmp_path / 'pictures').iterdir())) == 3
    with pytest.raises(SystemExit, match='no clip was drawn'):
        run(
            'tools/visualization/reconstruct.py',
            config,
            checkpoint,
            '--input',
            house['store'],
            '--index',
            99,
            '--out',
            'pictures',
        )


def test_video_demo_takes_the_recogniser_of_the_package(run, make_video, house, tmp_path):
    (tmp_path / 'weights').mkdir()
    content = load_checkpoint_file(house['recogniser'][1])
    meta = dict(content['meta'], cfg=Config.fromfile(house['recogniser'][0]).pretty_text)
    torch.save(dict(content, meta=meta), tmp_path / 'weights' / 'signs.pth')
    video = make_video(tmp_path / 'sign.mp4', [40] * 12)
    said = run('demo/video_demo.py', video, '--extractor', 'colour', '--device', 'cpu')
    assert f'Model: zoo://signs, {tmp_path / "weights" / "signs.pth"}. It knows 4 glosses.' in said
