"""A video that shows nobody, or no hand, has no gloss but a reason, however it is asked."""

import json
import runpy
import sys

import cv2
import numpy as np
import pytest
from api_toys import GLOSSES, ColourExtractor, poses

from signbert_mm.apis import HysteresisMerger, PoseClip, SignDictionary, StreamRecognizer
from signbert_mm.apis.backends import Backend, withhold
from signbert_mm.apis.clips import why_no_answer
from signbert_mm.registry import EXTRACTORS

NOBODY = 'no person was found in any of the 12 frames'
IMAGE = dict(layout='sign_49', image_size=(640, 480))


def unanswered(prediction):
    return prediction['glosses'] == prediction['scores'] == [] and prediction['reason']


@pytest.fixture
def dark(make_video, tmp_path):
    """A video of a dark room: nobody is in it."""
    return make_video(tmp_path / 'dark.mp4', [0] * 12)


@pytest.fixture
def signs(inferencer, store):
    """A dictionary of the store's clips."""
    vectors, names = inferencer.embed(store)
    made = SignDictionary(inferencer.embedder.fingerprint, vectors.shape[1])
    for label in range(4):
        made.add(GLOSSES[label], vectors[label::4], names[label::4])
    return made


def test_the_reason():
    assert why_no_answer(5, True, True) == '' and why_no_answer(0, False, False) == 'there are no frames'
    assert PoseClip.make(np.zeros((7, 49, 3)), **IMAGE).no_answer.startswith(
        'no person was found in any of the 7 frames'
    )
    bodies = PoseClip.make(poses(5, 0, hands=False), **IMAGE)
    assert (
        bodies.no_answer.startswith('a person was found, but no hand in any of the 5 frames')
        and bodies.hand_frames == 0
    )
    assert PoseClip.make(poses(9, 0), **IMAGE).no_answer == ''


def test_withhold():
    clip, nobody = PoseClip.make(poses(9, 0), **IMAGE), PoseClip.make(np.zeros((9, 49, 3)), **IMAGE)
    row = dict(scores=np.array([0.9, 0.1]), attention=None)
    assert withhold(clip, row) == dict(row, reason='') and row['scores'][0] == 0.9
    assert (
        withhold(nobody, row)['scores'].tolist() == [0, 0] and 'no person' in withhold(nobody, row)['reason']
    )
    damaged = withhold(clip, dict(row, scores=np.array([np.nan, 0.1])))
    assert damaged['scores'].tolist() == [0, 0] and 'not finite' in damaged['reason']

    class Sure(Backend):
        def run(self, clips, first=0):
            return [dict(row) for _ in clips]

    assert [bool(item['reason']) for item in Sure().predict([clip, nobody, clip])] == [False, True, False]


def test_a_video_and_a_batch(inferencer, dark, make_video, tmp_path):
    (alone,) = inferencer(dark, vis_out_dir=str(tmp_path / 'vis'), pred_out_dir=str(tmp_path / 'json'))[
        'predictions'
    ]
    assert (
        unanswered(alone).startswith(NOBODY)
        and alone['labels'] == []
        and alone['hand_frames'] == 0
        and not alone['all_scores'].any()
    )
    written = json.loads((tmp_path / 'json' / '000000_dark.mp4.json').read_text())
    assert unanswered(written) == alone['reason']
    assert cv2.imread(str(tmp_path / 'vis' / '000000_dark.mp4.png')).std() > 1
    make_video(tmp_path / 'light.mp4', [40] * 12)
    light, mixed = inferencer([str(tmp_path / 'light.mp4'), dark])['predictions']
    assert light['reason'] == '' and len(light['glosses']) == 4 and unanswered(mixed)
    # the pictures above are none
    folder = [item for item in inferencer(str(tmp_path))['predictions'] if 'error' not in item]
    assert [bool(item['glosses']) for item in folder] == [False, True]
    (sample,) = inferencer(dark, return_datasamples=True)['predictions']
    assert int(sample.pred_label) == -1 and sample.reason == alone['reason'] and not sample.pred_scores.any()
    (arrays,) = inferencer(np.zeros((12, 49, 3)), **IMAGE)['predictions']
    assert unanswered(arrays) == alone['reason']


def test_long_videos_and_streams(inferencer, dark, make_video, tmp_path):
    clip = inferencer.reader.extract(dark)
    for found in (
        *inferencer.segments(dark, window=0.5, stride=0.2),
        *inferencer.segments([clip], window=0.5, stride=0.2),
    ):
        assert found['segments'] == [] and found['reason'].startswith(NOBODY) and len(found['windows']) > 2
        assert all(unanswered(window) for window in found['windows'])
    events = list(inferencer.stream(dark, window=0.5, stride=0.2))
    assert (
        events
        and all(unanswered(event) for event in events)
        and events[-1]['reason_so_far'].startswith(NOBODY)
    )
    half = make_video(tmp_path / 'half.mp4', [40] * 6 + [0] * 6)
    (found,) = inferencer.segments(half, window=0.5, stride=0.2)
    assert found['reason'] == '' and found['windows'][0]['glosses'] and unanswered(found['windows'][-1])
    stream = StreamRecognizer(
        lambda clips: [dict(scores=np.ones(2), attention=None, frames=np.arange(4))],
        'sign_49',
        (64, 64),
        4,
        4,
        HysteresisMerger(),
    )
    *_, event = [stream.push(np.zeros((49, 3))) for _ in range(4)]
    assert event.reason.startswith('no person') and not event.scores.any()


def test_a_dictionary(inferencer, dark, signs, make_video, tmp_path):
    light = make_video(tmp_path / 'light.mp4', [40] * 12)
    nothing, found = inferencer.search([dark, light], dictionary=signs)
    assert unanswered(nothing).startswith(NOBODY) and nothing['examples'] == []
    assert found['reason'] == '' and found['hand_frames'] == 12 and set(found['glosses']) == set(GLOSSES)
    # as an example it would answer for every empty room
    vectors, names = inferencer.embed([dark, light], need_hands=True)
    assert names == ['light.mp4'] and len(vectors) == 1 and len(inferencer.embed([dark, light])[1]) == 2
    with pytest.raises(ValueError, match=r'none of the inputs shows a hand \(dark.mp4: no person was found'):
        inferencer.embed(dark, need_hands=True)


@pytest.mark.parametrize('options', [[], ['--window', '0.5', '--stride', '0.2']])
def test_video_demo(house, dark, root, monkeypatch, tmp_path, capsys, options):
    EXTRACTORS.import_from_location()
    monkeypatch.setitem(EXTRACTORS.module_dict, 'colour', ColourExtractor)
    monkeypatch.chdir(tmp_path)
    config, checkpoint = house['recogniser']
    named = ['--config', config, '--checkpoint', checkpoint, '--extractor', 'colour', '--device', 'cpu']
    monkeypatch.setattr(sys, 'argv', ['video_demo.py', dark, *named, *options])
    runpy.run_path(str(root / 'demo' / 'video_demo.py'), run_name='__main__')
    printed = capsys.readouterr().out
    assert f'No answer: {NOBODY}' in printed and not any(
        gloss in printed for gloss in GLOSSES if len(gloss) > 2
    )
    written = json.loads((tmp_path / 'work_dirs' / 'video_demo' / 'dark.json').read_text())
    assert written['reason'].startswith(NOBODY)
    assert written['segments'] == [] if options else written['glosses'] == []
    monkeypatch.setattr(
        sys, 'argv', ['webcam_demo.py', '--camera', dark, *named, '--window', '0.5', '--no-window']
    )
    runpy.run_path(str(root / 'demo' / 'webcam_demo.py'), run_name='__main__')
    assert 'no answer: no person was found' in capsys.readouterr().out
