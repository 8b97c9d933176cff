"""segments() with a model that finds signs in time."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from api_toys import GLOSSES, ColourExtractor, poses, up_to_rounding
from mmengine.config import Config

from signbert_mm.apis import PoseClip, SignInferencer
from signbert_mm.apis.compare_segments import best_setting, known_videos, segments_figures, window_figures
from signbert_mm.datasets import PoseDataset, SplicedSigns
from signbert_mm.models import decode_segments
from signbert_mm.models.base import BaseSignModel
from signbert_mm.models.unbatch import unbatch
from signbert_mm.registry import MODELS


class HandsSeen(BaseSignModel):
    """A sign is where a hand is seen."""

    finds_signs = True

    def predictions(self, inputs):
        seen = inputs['hand_valid'].any(-1)
        rows = torch.stack([~seen, torch.zeros_like(seen), seen], -1).double()
        samples = unbatch(dict(rows=rows), inputs)
        for sample in samples:
            sample.segments = torch.tensor(decode_segments(sample.rows.numpy()), dtype=torch.float64)
            sample.segments = sample.segments.reshape(-1, 3)
        return samples


@pytest.fixture
def finder(house):
    """The toy segmenter, at 5 frames a second."""
    model = HandsSeen(data_preprocessor=Config.fromfile(house['recogniser'][0]).model.data_preprocessor)
    model.cfg, model.dataset_meta = Config.fromfile(house['recogniser'][0]), dict(fps=5.0)
    return model


@pytest.fixture
def inferencer(house, finder):
    return SignInferencer(*house['recogniser'], device='cpu', extractor=ColourExtractor(), segmenter=finder)


def two_signs():
    """At 10 frames a second: from 1 to 3 and from 5 to 6.4 seconds, of 7."""
    data = poses(70, 3)
    data[:, :42, 2] = 1
    data[:10] = data[30:50] = data[64:] = 0
    return PoseClip.make(data, 'sign_49', (640, 480), fps=10, name='two')


def test_each_sign_is_recognised_as_one_clip(inferencer):
    clip = two_signs()
    (found,) = inferencer.segments([clip])
    spans = [(sign['start'], sign['end']) for sign in found['segments']]
    assert spans == [(pytest.approx(1.0), pytest.approx(3.0)), (pytest.approx(5.0), pytest.approx(6.4))]
    answers = inferencer([clip.cut(10, 30), clip.cut(50, 64)])['predictions']
    assert [sign['gloss'] for sign in found['segments']] == [answer['glosses'][0] for answer in answers]
    assert [window['glosses'] for window in found['windows']] == [answer['glosses'][:5] for answer in answers]
    for sign, answer in zip(found['segments'], answers):
        assert sign['score'] == pytest.approx(answer['scores'][0], abs=1e-5)
    assert found['num_frames'] == 70 and found['fps'] == 10 and found['reason'] == ''


def test_times_of_frames_count(inferencer):
    clip = two_signs()
    # The same frames, twice as slow from the second sign on.
    times = np.concatenate([np.arange(50) / 10, 5 + np.arange(20) / 5])
    (found,) = inferencer.segments([replace(clip, times=times)])
    edges = [edge for sign in found['segments'] for edge in (sign['start'], sign['end'])]
    assert edges == pytest.approx([1.0, 3.0, 5.0, 7.8], abs=0.11)


def test_a_pause_in_a_sign(inferencer):
    clip = two_signs()
    # Frame 20, in a sign, is seen for two seconds.
    times = np.arange(70) / 10 + 2.0 * (np.arange(70) > 20)
    (found,) = inferencer.segments([replace(clip, times=times)])
    assert [(sign['start'], sign['end']) for sign in found['segments']] == [
        (pytest.approx(1.0, abs=0.11), pytest.approx(5.0, abs=0.11)),
        (pytest.approx(7.0, abs=0.11), pytest.approx(8.4, abs=0.11)),
    ]
    paused = replace(clip.cut(0, 30), times=np.append(np.arange(29) / 10, 9.0))
    (found,) = inferencer.segments([paused])
    assert len(found['segments']) == 1 and found['segments'][0]['end'] == pytest.approx(9.1, abs=0.11)


def test_glosses_to_ignore_are_no_segments(inferencer):
    (found,) = inferencer.segments([two_signs()], ignore=GLOSSES)
    assert found['segments'] == [] and len(found['windows']) == 2
    with pytest.raises(ValueError, match='no list of glosses'):
        inferencer.segments([two_signs()], ignore=['nothing'])


def test_no_sign_and_nobody(inferencer):
    empty = PoseClip.make(np.zeros((30, 49, 3)), 'sign_49', (640, 480), fps=10)
    (found,) = inferencer.segments([empty])
    assert found['segments'] == [] == found['windows'] and found['reason'].startswith('no person was found')


def test_videos(inferencer, make_video, tmp_path):
    video = make_video(tmp_path / 'a.mp4', [0] * 10 + [200] * 20 + [0] * 10)
    (found,) = inferencer.segments(video)
    ((start, end),) = [(sign['start'], sign['end']) for sign in found['segments']]
    assert (start, end) == (pytest.approx(1.0), pytest.approx(3.0))
    (again,) = inferencer.segments([inferencer.reader.extract(video)])
    assert found['segments'] == up_to_rounding(again['segments'])


def test_a_segmenter_is_needed(house, finder):
    with pytest.raises(ValueError, match='SignRecognizer finds no signs in time'):
        SignInferencer(
            *house['recogniser'],
            device='cpu',
            segmenter=house['recogniser'][0],
            segmenter_weights=house['recogniser'][1],
        )
    with pytest.raises(ValueError, match='segmenter_weights are given without `segmenter`'):
        SignInferencer(*house['recogniser'], device='cpu', segmenter_weights='a.pth')
    finder.dataset_meta = {}
    with pytest.raises(ValueError, match='does not tell the frame rate'):
        SignInferencer(*house['recogniser'], device='cpu', segmenter=finder)
    finder.dataset_meta = dict(fps=5.0)
    with pytest.raises(ValueError, match='knows no glosses'):
        SignInferencer(finder, device='cpu').segments([two_signs()])


def test_the_config_builds_and_its_segmenter_finds_what_predict_finds(root, house):
    cfg = Config.fromfile(root / 'configs' / 'segmentation' / 'segmenter_d128_wlasl100.py')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).eval()
    model.cfg, model.dataset_meta = cfg, dict(fps=12.5)
    inferencer = SignInferencer(*house['recogniser'], device='cpu', segmenter=model)
    clip = PoseClip.make(poses(60, 1, 42), 'hands_42', (640, 480), fps=12.5)
    backend = inferencer.long_clips.segmenter.backend
    assert backend.spec.layout == 'hands_42' and not backend.spec.temporal
    (sample,) = model(backend.prepared([clip], every_frame=True), mode='predict')
    found = inferencer.long_clips.segmenter.find(clip)
    assert len(sample.frame_scores) == 60
    assert [(sign.start * 12.5, sign.end * 12.5) for sign in found] == [
        (pytest.approx(start), pytest.approx(end)) for start, end, _ in sample.segments.tolist()
    ]


def test_comparison_with_windows(inferencer, store):
    clips = PoseDataset(store.folder, drop_empty_frames=False, empty_clip='drop')
    videos = known_videos(SplicedSigns(clips, signs=2, fps=10.0, hidden=1.0, rest_prob=1.0, length=3))
    assert len(videos) == 3 and all(len(signs) == 2 for _, signs in videos)
    figures = segments_figures(inferencer, videos)
    assert figures['true'] == 6 and 0 <= figures['gloss_f1'] <= figures['f1'] <= 1
    grid = ([1.0, 2.0], [0.5], [0.6, 0.3], [0.3, 0.4])
    tried = window_figures(inferencer.backend, videos, grid)
    assert set(tried) == {(w, 0.5, e, v) for w in (1.0, 2.0) for e, v in ((0.6, 0.3), (0.6, 0.4), (0.3, 0.3))}
    plain = SignInferencer(inferencer.backend.model, device='cpu')
    for (window, stride, enter, leave), row in tried.items():
        settings = dict(window=window, stride=stride, enter=enter, leave=leave)
        assert row == segments_figures(plain, videos, **settings)
    assert tried[best_setting(tried)]['f1'] == max(row['f1'] for row in tried.values())
    clips.labels[1] = -1
    with pytest.raises(ValueError, match=r'1 of \d+ clips have no label'):
        known_videos(SplicedSigns(clips))
