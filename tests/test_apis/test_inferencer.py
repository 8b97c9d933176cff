"""SignInferencer: equal to tools/test.py, and what it says of bad input."""

import json
import time
from fractions import Fraction
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from api_toys import GLOSSES, SCORES, ColourExtractor, poses, up_to_rounding
from grey_videos import make_late_video
from mmengine.config import Config

from signbert_mm.apis import SignInferencer, camera
from signbert_mm.apis.inferencer import _frame_rate
from signbert_mm.datasets import PoseDataset
from signbert_mm.engine import CheckpointError
from signbert_mm.errors import ConfigError
from signbert_mm.evaluation import load_predictions
from signbert_mm.extraction import VideoError, extract_folder
from signbert_mm.structures import SignDataSample


@pytest.fixture(scope='module')
def tested(house, tmp_path_factory, root):
    """What tools/test.py says, by the clips' names."""
    import runpy
    import sys

    out = tmp_path_factory.mktemp('tested') / 'predictions.pkl'
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(out.parent)
        patch.setattr(
            sys,
            'argv',
            ['test.py', *house['recogniser'], '--dump', str(out), '--cfg-options', 'experiment_name=apis'],
        )
        runpy.run_path(str(root / 'tools' / 'test.py'), run_name='__main__')
    return {item['video_id']: item for item in load_predictions(out)}


def test_predictions_are_those_of_the_test_tool(inferencer, house, tested):
    found = inferencer(house['store'], split='test', batch_size=2)['predictions']
    assert [item['name'] for item in found] == list(tested)
    for item in found:
        expected = tested[item['name']]
        assert np.allclose(item['attention'], expected['attention'].numpy(), rtol=0, atol=SCORES)
        # no hands: the test tool counts a class, an answer would rest on nothing
        if item['name'] in ('v3', 'v8'):
            assert (
                not item['all_scores'].any()
                and item['glosses'] == item['scores'] == item['labels'] == []
                and item['reason']
            )
            continue
        assert (
            np.allclose(item['all_scores'], expected['pred_scores'].numpy(), rtol=0, atol=SCORES)
            and item['reason'] == ''
        )
        assert item['glosses'][0] == GLOSSES[int(expected['pred_label'])] and item['scores'] == sorted(
            item['scores'], reverse=True
        )
    assert np.ptp([item['all_scores'] for item in found], axis=0).max() > 0.05  # the clips differ


def test_arrays_give_the_same(inferencer, store, tested):
    arrays = [
        np.concatenate([keypoints, scores[..., None]], -1) for keypoints, scores in map(store.clip, range(9))
    ]
    found = inferencer(arrays, layout='sign_49', image_size=(640, 480))['predictions']
    (alone,) = inferencer(torch.from_numpy(arrays[5]), layout='sign_49', image_size=(640, 480), topk=2)[
        'predictions'
    ]
    for item, name in zip([*found, alone], [*tested, 'v5']):
        if name in ('v3', 'v8'):
            assert item['hand_frames'] == 0 and item['glosses'] == []
            continue
        assert np.allclose(item['all_scores'], tested[name]['pred_scores'].numpy(), rtol=0, atol=SCORES)
    assert len(alone['glosses']) == 2 and alone['glosses'] == found[5]['glosses'][:2]
    whole = np.zeros((len(arrays[5]), 133, 3), np.float32)
    from signbert_mm.layouts import get_layout, layout_mapping

    whole[:, layout_mapping(get_layout('coco_wholebody_133'), get_layout('sign_49'))] = arrays[5]
    (other,) = inferencer(whole, layout='coco_wholebody_133', image_size=(640, 480))['predictions']
    assert np.allclose(other['all_scores'], alone['all_scores'], rtol=0, atol=SCORES)


def test_frames_and_attention(inferencer, store, house):
    found = inferencer(store)['predictions']
    dataset = PoseDataset(
        house['store'], pipeline=[dict(type='UniformTemporalSample', clip_len=6, test_mode=True)]
    )
    frames = dataset.__getitems__(list(range(12)))['inputs']['frames'].numpy()
    for clip, item in enumerate(found):
        assert np.array_equal(item['frames'], frames[clip]) and item['attention'].shape == (6, 2)
        assert item['num_frames'] == store.length[clip] and item['fps'] == 25
    assert found[3]['hand_frames'] == found[8]['hand_frames'] == 0 < found[4]['hand_frames']


def test_no_hands_at_all(inferencer):
    for data in (np.zeros((5, 49, 3)), poses(5, 0, hands=False)):
        (found,) = inferencer(data, layout='sign_49', image_size=(640, 480))['predictions']
        assert found['hand_frames'] == 0 and np.isfinite(found['all_scores']).all()
        assert inferencer.segments(data, layout='sign_49', image_size=(640, 480), fps=2)[0]['segments'] == []


def test_samples_pictures_and_files(inferencer, store, tmp_path):
    clips = list(inferencer.reader.clips(store))[:2]
    found = inferencer(
        clips, return_datasamples=True, vis_out_dir=str(tmp_path / 'vis'), pred_out_dir=str(tmp_path / 'pred')
    )
    assert all(
        isinstance(sample, SignDataSample) and sample.pred_scores.shape == (4,)
        for sample in found['predictions']
    )
    assert [cv2.imread(path).std() > 5 for path in found['visualization']] == [True, True]
    told = json.loads((tmp_path / 'pred' / '000001_v1.json').read_text())
    assert (
        told['name'] == 'v1'
        and len(told['glosses']) == 4
        and np.isclose(sum(map(sum, told['attention'])), 1, atol=1e-3)
    )


@pytest.mark.parametrize(
    'inputs, options, message',
    [
        (np.zeros((0, 49, 3)), {}, 'no frames'),
        (np.zeros((4, 48, 3)), {}, '48 joints found'),
        (np.full((4, 49, 3), np.nan), {}, 'x is nan'),
        (np.zeros((4, 49, 3)), dict(layout=None), 'needs layout='),
        (np.zeros((4, 49, 3)), dict(image_size=None), 'image_size='),
        ([], {}, 'an empty list'),
        (np.zeros((4, 49, 3)), dict(batch_size=0), 'at least 1'),
    ],
)
def test_bad_input(inferencer, inputs, options, message):
    with pytest.raises(ValueError, match=message):
        inferencer(inputs, **{**dict(layout='sign_49', image_size=(640, 480)), **options})


@pytest.mark.parametrize(
    'inputs', [np.ones((2, 49, 3)).tolist(), np.ones((2, 3), int).tolist(), ((1.0, 2.0),), [[[None]]]]
)
def test_nested_lists_say_what_is_expected(inferencer, inputs):
    for options in ({}, dict(layout='sign_49', image_size=(640, 480))):  # and numbers in them are no cameras
        with pytest.raises(
            TypeError,
            match=r'nested lists of numbers found, .*numpy\.asarray\(poses\), of '
            r'shape \(T, V, 2\) or \(T, V, 3\)',
        ):
            inferencer(inputs, **options)


def test_other_bad_input(inferencer, house, tmp_path, store):
    with pytest.raises(TypeError, match='inputs are a float'):
        inferencer(0.5)
    with pytest.raises(FileNotFoundError, match='no such file'):
        inferencer(str(tmp_path / 'absent.mp4'))
    with pytest.raises(FileNotFoundError, match='no videos'):
        inferencer(str(tmp_path))
    with pytest.raises(ValueError, match="split 'nothing' has no clips"):
        inferencer(store, split='nothing')
    with pytest.raises(KeyError, match='unknown layout'):
        inferencer(np.zeros((4, 49, 3)), layout='sign49', image_size=(640, 480))


def test_bad_models(house, tmp_path):
    config, checkpoint = house['recogniser']
    with pytest.raises(ValueError, match='`weights` is missing'):
        SignInferencer(config)
    with pytest.raises(FileNotFoundError, match='does not exist'):
        SignInferencer(config, tmp_path / 'absent.pth')
    with pytest.raises(CheckpointError, match='lacks head'):
        SignInferencer(config, house['pretrainer'][1])
    with pytest.raises(ValueError, match='backend is'):
        SignInferencer(config, checkpoint, backend='tensorrt')
    with pytest.raises(ValueError, match='threads is -1'):
        SignInferencer(config, checkpoint, threads=-1)
    with pytest.raises(ConfigError, match='knows no glosses'):
        SignInferencer(*house['pretrainer'])(house['store'])
    (tmp_path / 'text.pth').write_text('not a checkpoint')
    with pytest.raises(CheckpointError, match='text.pth .16 bytes. is not a PyTorch checkpoint'):
        SignInferencer(config, tmp_path / 'text.pth')


def test_threads(inferencer, house, store):
    before = torch.get_num_threads()
    try:
        SignInferencer(*house['recogniser'], device='cpu')
        assert torch.get_num_threads() == before
        found = SignInferencer(*house['recogniser'], device='cpu', threads=before + 1)(store)['predictions']
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)
    for here, there in zip(found, inferencer(store)['predictions']):
        assert here['glosses'] == there['glosses']
        assert np.allclose(here['all_scores'], there['all_scores'], rtol=0, atol=SCORES)


# long clips and videos


def test_segments_name_what_the_windows_say(inferencer):
    data = np.concatenate([poses(30, 1), np.zeros((20, 49, 3)), poses(30, 6)])
    (found,) = inferencer.segments(
        data,
        layout='sign_49',
        image_size=(640, 480),
        fps=10,
        window=2,
        stride=0.5,
        enter=0.3,
        leave=0.2,
        batch_size=3,
    )
    assert found['num_frames'] == 80 and [window['end'] for window in found['windows']][:2] == [2.0, 2.5]
    assert found['windows'][-1]['end'] == 8.0 and found['segments']
    ends = [0, *[edge for segment in found['segments'] for edge in (segment['start'], segment['end'])], 8]
    assert ends == sorted(ends) and {segment['gloss'] for segment in found['segments']} <= set(GLOSSES)
    with pytest.raises(ValueError, match='frame rate is unknown'):
        inferencer.segments(data, layout='sign_49', image_size=(640, 480))
    with pytest.raises(ValueError, match='no list of glosses'):
        inferencer.segments(data, layout='sign_49', image_size=(640, 480), fps=10, ignore=['nothing'])
    for wrong in (dict(window=-1.0), dict(window=np.nan), dict(stride=0.0)):
        with pytest.raises(ValueError, match='give seconds above 0'):
            inferencer.segments(data, layout='sign_49', image_size=(640, 480), fps=10, **wrong)


def test_videos(inferencer, make_video, tmp_path):
    levels = [40] * 10 + [0] * 5 + [200] * 12
    video = make_video(tmp_path / 'a.mp4', levels)
    (found,) = inferencer(video)['predictions']
    assert found['num_frames'] == 27 and found['hand_frames'] == 22 and found['fps'] == pytest.approx(10)
    (whole,) = inferencer.segments(video, window=1.0, stride=0.3, enter=0.2, leave=0.1)
    clip = inferencer.reader.extract(video)
    (again,) = inferencer.segments([clip], window=1.0, stride=0.3, enter=0.2, leave=0.1)
    assert whole['segments'] and whole['segments'] == up_to_rounding(again['segments'])
    assert whole['windows'] == up_to_rounding(again['windows'])
    events = list(inferencer.stream(video, window=1.0, stride=0.3))
    assert all(event['latency'] >= 0 and event['glosses'] for event in events) and events[-1]['end'] == 27

    (tmp_path / 'b.mp4').write_text('this is a text, not a video\n' * 50)
    with pytest.raises(VideoError, match='b.mp4'):
        inferencer(str(tmp_path / 'b.mp4'))
    good, bad = inferencer(str(tmp_path))['predictions']
    assert good['name'] == 'a' and good['glosses'] == found['glosses']
    assert bad['name'] == 'b' and 'b.mp4' in bad['error']


def write_frames(path, levels, stamps, rate=30):
    """A video of even grey frames at these places of a clock of ``rate`` steps a second, which is also what
    its header says.
    """
    av = pytest.importorskip('av', reason='PyAV is not installed')
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 64, 48, 'yuv420p', Fraction(1, rate)
        for level, stamp in zip(levels, stamps):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format='rgb24')
            frame.pts, frame.time_base = stamp, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return str(path)


def test_seconds_are_those_of_the_time_stamps(inferencer, tmp_path):
    """The header says 30; 30 frames come at 10 a second, and then, black, 10 at 2 a second."""
    stamps = [*range(0, 90, 3), *range(90, 240, 15)]
    video = write_frames(tmp_path / 'v.mkv', [40] * 30 + [0] * 10, stamps)
    (streamed,) = inferencer.segments(video, window=1.0, stride=0.5)
    clip = inferencer.reader.extract(video)
    assert clip.fps == pytest.approx(39 / 7.5, rel=0.01) and clip.times[-1] - clip.times[0] == pytest.approx(
        7.5, abs=0.01
    )
    for found in (streamed, *inferencer.segments([clip], window=1.0, stride=0.5)):
        assert found['num_frames'] == 40 and found['fps'] == pytest.approx(clip.fps, rel=0.01)
        assert found['windows'][-1]['end'] == pytest.approx(7.6, abs=0.1)
        for window in found['windows'][:-1]:
            assert window['end'] - window['start'] == pytest.approx(1, abs=0.05)
            assert bool(window['scores']) == (window['reason'] == '') == (window['start'] < 2.9), window


def test_seconds_of_a_video_that_begins_late(inferencer, tmp_path):
    settings = dict(window=1.0, stride=0.5, enter=0.2, leave=0.1)
    levels = [40] * 20 + [0] * 10 + [200] * 20
    even, late = (make_late_video(tmp_path / f'{at}.mp4', levels, at) for at in (0.0, 2.0))
    (right,) = inferencer.segments(even, **settings)
    clip = inferencer.reader.extract(late)
    assert clip.start == clip.times[0] == 2.0 and clip.cut(5, 9).start == 0
    store = extract_folder([('late', str(late))], tmp_path / 's', inferencer.reader.extractor)
    assert right['segments']
    for found in (*inferencer.segments(late, **settings), *inferencer.segments([clip, store], **settings)):
        for name in ('segments', 'windows'):
            for one, other in zip(right[name], found[name], strict=True):
                assert (other['start'], other['end']) == pytest.approx((one['start'] + 2, one['end'] + 2))
    events = list(inferencer.stream(late, **settings))
    assert {event['begin'] for event in events} == {2.0} and events[-1]['end'] == 50
    (first, *_) = (segment for event in events for segment in event['segments'])
    assert first['start'] == pytest.approx(right['segments'][0]['start'] + 2)


class Clockwork:
    """A camera that says 30 frames a second and gives 10, and the clock that it moves."""

    now, left = 0.0, 40

    def __init__(self, number):
        Clockwork.now, self.left = 0.0, Clockwork.left

    def isOpened(self):
        return True

    def get(self, key):
        return {cv2.CAP_PROP_FRAME_WIDTH: 64, cv2.CAP_PROP_FRAME_HEIGHT: 48, cv2.CAP_PROP_FPS: 30.0}[key]

    def read(self):
        Clockwork.now, self.left = Clockwork.now + 0.1, self.left - 1
        return self.left >= 0, np.full((48, 64, 3), 40, np.uint8)

    def release(self):
        pass


def test_cameras_have_the_rate_at_which_frames_came(inferencer, monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', Clockwork)
    monkeypatch.setattr(
        camera, 'time', SimpleNamespace(monotonic=lambda: Clockwork.now, perf_counter=time.perf_counter)
    )
    clip = inferencer.reader.extract(0, seconds=1.95)
    assert len(clip) == 20 and clip.fps == pytest.approx(10)
    events = list(inferencer.stream(0, window=2.0, stride=0.5))
    assert [event['end'] / event['fps'] for event in events[:3]] == [2.0, 2.5, 3.0]
    assert (
        events[0]['frames'].max() < 20
        and events[-1]['num_frames'] == 40
        and events[-1]['frame_rate'] == pytest.approx(10)
    )
    monkeypatch.setattr(inferencer.reader, 'fps', 25.0)  # the model's clips had 25: poses are repeated
    clip = inferencer.reader.extract(0, seconds=1.95)
    assert clip.fps == 25 and len(clip) == 48 and np.unique(np.diff(clip.times).round(6)).tolist() == [0.04]
    events = list(inferencer.stream(0, window=2.0, stride=0.5))
    assert events[0]['fps'] == 25 and events[0]['end'] == 50 and events[-1]['frame_rate'] == 25


def test_videos_are_read_at_the_rate_of_the_training_clips(inferencer, house, tmp_path):
    config, checkpoint = house['recogniser']
    content = torch.load(checkpoint, weights_only=True)
    torch.save(dict(content, meta=dict(content['meta'], fps=25.0)), tmp_path / 'rated.pth')
    video = write_frames(tmp_path / 'v.mp4', [40 + 2 * i for i in range(40)], range(40), rate=50)
    rated = SignInferencer(config, tmp_path / 'rated.pth', device='cpu', extractor=ColourExtractor())
    assert inferencer.reader.fps is None and inferencer.reader.extract(video).fps == 50
    assert rated.backend.spec.fps == rated.reader.fps == 25
    (found,) = rated(video)['predictions']
    assert found['num_frames'] == 20 and found['fps'] == 25
    made = extract_folder([('v', video)], tmp_path / 'store', ColourExtractor(), progress=False, fps=25)
    (there,) = inferencer(made)['predictions']
    assert np.allclose(found['all_scores'], there['all_scores'], rtol=0, atol=SCORES)
    assert PoseDataset(made.folder).metainfo['fps'] == 25
    (timeline,) = rated.segments(video, window=0.4, stride=0.2)
    assert (
        timeline['fps'] == 25
        and timeline['num_frames'] == 20
        and timeline['windows'][-1]['end'] == pytest.approx(0.8)
    )


def test_parts_of_several_rates():
    for rates, read in (([25.0, None, 30.0], None), ([None, 30.0], 30), ([], None)):
        assert _frame_rate(SimpleNamespace(frame_rates=rates)) == read


def test_streams_hold_no_frames(inferencer):
    """As many frames are held as the extractor takes at once, however long the stream is."""
    alive = [0, 0]

    class Counted(np.ndarray):
        def __new__(cls):
            alive[0] += 1
            alive[1] = max(alive)
            return np.full((4, 4, 3), 40, np.uint8).view(cls)

        def __del__(self):
            if self.base is not None and self.shape == (4, 4, 3):
                alive[0] -= 1

    frames = (Counted() for _ in range(200))
    count = 0
    for _, _pose, _ in inferencer.reader.poses(frames):
        count += 1
    assert count == 200 and alive[1] <= 4, alive


def test_no_camera(inferencer):
    with pytest.raises(ValueError, match='camera 97 cannot be opened'):
        inferencer(97)


# a pre-trained model


def test_reconstruction(inferencer, store):
    clips = list(inferencer.reader.clips(store))
    for clip in (clips[10], clips[3]):
        (found,) = inferencer.reconstruct(clip, mesh=True)
        frames = len(clip)
        assert (
            found['joints3d'].shape == (frames, 2, 21, 3)
            and found['vertices'].shape == (frames, 2, 778, 3)
            and found['faces'].shape == (1538, 3)
        )
        assert np.array_equal(found['valid'], clip.hands_found())
        assert (found['joints2d'][~found['valid']] == 0).all() and np.isfinite(found['vertices']).all()
    (found,) = inferencer(clips[10], return_joints3d=True)['predictions']
    assert found['joints3d'].shape == (34, 2, 21, 3) and 'vertices' not in found


def test_left_and_right_are_mirror_images(inferencer):
    """The same hand, once as a right and once, mirrored, as a left hand: embeddings of side aside, boxes and
    mirroring must agree.
    """
    data = poses(6, 5)
    data[:, 21:42, 2] = 1
    data[:, :21] = data[:, 21:42] * [-1, 1, 1] + [640, 0, 0]
    data[:, 43:46], data[:, 46:49] = data[:, 46:49] * [-1, 1, 1] + [640, 0, 0], data[:, 46:49]
    torch_model = inferencer.reconstructor.backend.model
    chirality = torch_model.embedder.chirality.data.clone()
    torch_model.embedder.chirality.data[:] = 0
    try:
        (found,) = inferencer.reconstruct(data, layout='sign_49', image_size=(640, 480), mesh=True)
    finally:
        torch_model.embedder.chirality.data[:] = chirality
    left, right = found['joints2d'][:, 0], found['joints2d'][:, 1]
    assert np.allclose(left, right * [-1, 1] + [640, 0], atol=1e-2)
    assert np.allclose(found['vertices'][:, 0], found['vertices'][:, 1] * [-1, 1, 1], atol=1e-5)


def test_search(inferencer, store, house):
    from signbert_mm.apis import SignDictionary

    clips = list(inferencer.reader.clips(store))
    vectors, names = inferencer.embed(clips)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5) and names[4] == 'v4'
    (alone,), _ = inferencer.embed(clips[4])
    # no other clip of the batch matters, and nothing is masked
    assert np.allclose(alone, vectors[4], atol=1e-5)
    signs = SignDictionary(inferencer.embedder.fingerprint, vectors.shape[1])
    for label in range(4):
        signs.add(GLOSSES[label], vectors[label::4][1:], names[label::4][1:])
    found = inferencer.search(clips[4:], dictionary=signs, topk=3)
    assert (
        found[4]['name'] == 'v8'
        and found[4]['glosses'] == found[4]['examples'] == []
        and 'no hand' in found[4]['reason']
    )
    assert [item['glosses'][:1] for item in found] == [
        [GLOSSES[place % 4]] * (place != 8) for place in range(4, 12)
    ]
    assert [item['examples'][:1] for item in found] == [[name] * (name != 'v8') for name in names[4:]]
    assert found[0]['scores'][0] == pytest.approx(1, abs=1e-5)
    with pytest.raises(ValueError, match='no dictionary'):
        inferencer.search(clips)
    with pytest.raises(ValueError, match='another encoder'):
        SignInferencer(*house['recogniser'], dictionary=signs).search(clips)
    config, checkpoint = house['pretrainer']
    again = SignInferencer(config, checkpoint, device='cpu', dictionary=signs)
    assert again.embedder.fingerprint == signs.encoder
    # the same weights, other crops or joints
    for place, change in ((0, dict(location='image')), (-1, dict(threshold=0.5))):
        cfg = Config.fromfile(config)
        cfg.model.data_preprocessor.test_pipeline[place].update(change)
        other = SignInferencer(cfg, checkpoint, device='cpu')
        with pytest.raises(ValueError, match='or its clips were sampled or prepared in another way'):
            other.search(clips, dictionary=signs)


def test_pretrained_models_need_their_weights(house):
    with pytest.raises(ValueError, match='`pretrained_weights` is missing'):
        SignInferencer(*house['recogniser'], pretrained=house['pretrainer'][0])
    with pytest.raises(ValueError, match='no hand model'):
        next(
            iter(
                SignInferencer(*house['recogniser'], extractor=ColourExtractor()).reconstruct(house['store'])
            )
        )


def test_a_model_that_resamples_time_itself(tmp_path):
    from signbert_mm.apis import get_model

    embedder = dict(gesture=dict(joint_channels=(4, 8), part_channels=(8, 16)), channels=16, num_blocks=1)
    backbone = dict(num_layers=1, num_heads=2, feedforward_channels=24)
    encoder = dict(
        hand_embedder=embedder,
        trunk_embedder=embedder,
        hand_backbone=dict(backbone, embed_dims=32),
        trunk_backbone=dict(backbone, embed_dims=16),
    )
    inferencer = SignInferencer(
        get_model('st_consistency_d512_b64-60e_wlasl2000', encoder=encoder, head=dict(in_channels=16)),
        device='cpu',
    )
    (found,) = inferencer(poses(9, 1), layout='sign_49', image_size=(640, 480), vis_out_dir=str(tmp_path))[
        'predictions'
    ]
    assert (
        found['attention'].shape == (64, 2) and found['frames'].shape == (64,) and found['frames'].max() <= 8
    )
    assert (
        found['glosses'][0].startswith('class ')
        and inferencer.embed(poses(9, 1), layout='sign_49', image_size=(640, 480))[0].shape[0] == 1
    )
