"""Videos of a store's clips through mmaction2's pipeline."""

import numpy as np
import pytest
import torch

from signbert_mm.datasets import PoseStoreWriter, SignVideoDataset
from signbert_mm.datasets.video_folder import VideoFolder
from signbert_mm.draws import Draws
from signbert_mm.evaluation.coverage import coverage_text
from signbert_mm.registry import MODELS, TRANSFORMS

pytest.importorskip('mmaction', reason='mmaction2 is not installed')
av = pytest.importorskip('av', reason='PyAV is not installed')

PIPELINE = [
    dict(type='PyAVInit'),
    dict(type='SampleFrames', clip_len=4, frame_interval=2, num_clips=1),
    dict(type='PyAVDecode'),
    dict(type='Resize', scale=(32, 32), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5),
    dict(type='FormatShape', input_format='NCTHW'),
]
COLORS = {'a': (200, 30, 30), 'b': (30, 200, 30), 'c': (30, 30, 200)}


def write_video(path, color, frames=12):
    """The left half in one colour, brighter with time."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 64, 48, 'yuv420p', 2_000_000
        for _ in range(frames):
            image = np.zeros((48, 64, 3), dtype=np.uint8)
            image[:, :32] = color
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')))
        container.mux(stream.encode())


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp('videos')
    with PoseStoreWriter(str(folder / 'store'), 'hands_42', ['x', 'y', 'z']) as writer:
        for label, name in enumerate(COLORS):
            writer.add(
                np.ones((12, 42, 3), dtype=np.float32),
                label,
                'train' if name != 'c' else 'test',
                name,
                width=64,
                height=48,
            )
            write_video(folder / f'{name}.mp4', COLORS[name])
    return folder


def make(place, **options):
    return SignVideoDataset(
        str(place / 'store'), str(place), **{**dict(pipeline=PIPELINE, layout='hands_42'), **options}
    )


def test_a_clip_is_its_own_video(place):
    data = make(place, split='train', pipeline=[step for step in PIPELINE if step['type'] != 'Flip'])
    assert len(data) == 2 and data.labels.tolist() == [0, 1] and data.glosses == ['x', 'y', 'z']
    for index, name in enumerate('ab'):
        item = data[index]
        assert (
            item['video_id'] == name
            and int(item['inputs']['label']) == index
            and int(item['inputs']['index']) == index
        )
        imgs = item['inputs']['imgs']
        assert imgs.shape == (1, 3, 4, 32, 32) and imgs.dtype == torch.uint8
        left = imgs[0, :, :, 8:24, 4:12].double().mean((1, 2, 3))
        assert (left - torch.tensor(COLORS[name]).double()).abs().max() < 12  # what the codec loses
    assert make(place, split='test', test_mode=True)[0]['video_id'] == 'c'


def test_draws_are_of_seed_epoch_and_clip(place):
    first, again = make(place, seed=1), make(place, seed=1)
    state = np.random.get_state()[1].copy()
    reference = [first[index]['inputs']['imgs'] for index in range(3)]
    assert (np.random.get_state()[1] == state).all()
    np.random.rand(7)
    for index in (2, 0, 1):
        assert torch.equal(again[index]['inputs']['imgs'], reference[index])
    different = False
    for epoch in range(1, 8):
        again.set_epoch(epoch)
        different |= not torch.equal(again[0]['inputs']['imgs'], reference[0])
    assert different
    test = make(place, seed=1, test_mode=True)
    test.set_epoch(5)
    assert torch.equal(test[0]['inputs']['imgs'], reference[0])


def test_normalised_as_mmaction2_does(place):
    imgs = torch.stack([make(place)[index]['inputs']['imgs'] for index in range(2)])
    ours = TRANSFORMS.build(dict(type='NormalizeImages'))(dict(imgs=imgs), Draws(0, 0, torch.arange(2)))[
        'imgs'
    ]
    from mmaction.registry import MODELS as MMACTION

    numbers = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], format_shape='NCTHW')
    theirs = MMACTION.build(dict(type='ActionDataPreprocessor', **numbers, _scope_='mmaction'))
    torch.testing.assert_close(ours, theirs(dict(inputs=list(imgs), data_samples=None))['inputs'])
    with pytest.raises(ValueError, match='axis -3 of imgs .* is not 3 channels'):
        TRANSFORMS.build(dict(type='NormalizeImages', channel_axis=-3))(dict(imgs=imgs), None)


def test_a_small_network_learns_from_frames(place):
    torch.manual_seed(0)
    normalize = [dict(type='NormalizeImages')]
    model = MODELS.build(
        dict(
            type='MMActionRecognizer',
            input_key='imgs',
            data_preprocessor=dict(
                type='SignDataPreprocessor', train_pipeline=normalize, test_pipeline=normalize
            ),
            model=dict(
                type='Recognizer3D',
                backbone=dict(
                    type='ResNet3d',
                    depth=18,
                    pretrained=None,
                    base_channels=4,
                    inflate=(1, 1, 1, 1),
                    norm_eval=False,
                ),
                cls_head=dict(type='I3DHead', num_classes=3, in_channels=32, dropout_ratio=0.0),
            ),
        )
    )
    data = make(place)
    batch = model.data_preprocessor(
        torch.utils.data.default_collate([data[index] for index in range(3)]), training=True
    )['inputs']
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(8):
        loss = model.train()(batch, mode='loss')['loss_cls']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]
    samples = model.eval()(batch, mode='predict')
    assert [sample.video_id for sample in samples] == ['a', 'b', 'c'] and abs(
        float(samples[0].pred_scores.sum()) - 1
    ) < 1e-5


@pytest.mark.parametrize(
    'coverage, options, row, text',
    [
        (dict(test=5), {}, dict(clips=2, expected=5, present=2), '2 of 5 test clips (40.0 %) of store'),
        (
            dict(test=5),
            dict(indices=[0, 1]),
            dict(clips=1, expected=5, present=2),
            '1 of 5 test clips (20.0 %) of store; 2 of them are in the store',
        ),
        (dict(test=5), dict(classes=['x']), dict(clips=1, split_expected=5, split_present=2), None),
        (
            dict(test=dict(expected=5, per_class=[3, 2])),
            dict(classes=['x']),
            dict(clips=1, expected=3, present=1),
            None,
        ),
        (None, {}, dict(clips=2, expected=4, present=2), '2 of 4 test clips (50.0 %) of store'),
    ],
    ids=['all', 'some', 'classes', 'per_class', 'untold'],
)
def test_coverage_is_of_the_clips_with_a_video(tmp_path, coverage, options, row, text):
    with PoseStoreWriter(str(tmp_path / 'store'), 'hands_42', ['x', 'y'], coverage=coverage) as writer:
        for clip in range(4):
            writer.add(
                np.ones((3, 42, 3), dtype=np.float32), clip % 2, 'test', f'v{clip}', width=64, height=48
            )
    for clip in (0, 3):  # one of each gloss
        (tmp_path / f'v{clip}.mp4').write_bytes(b'x')
    data = make(tmp_path, split='test', missing='drop', **options)
    (found,) = data.metainfo['coverage']
    assert {key: found[key] for key in row} == row and ('expected' in found) == ('expected' in row)
    assert text is None or coverage_text(data.metainfo) == text
    assert (
        data.metainfo['glosses'] == ['x', 'y']
        and 'split_expected' not in row
        or '2 of 5 test clips' in coverage_text(data.metainfo)
    )
    for clip in (1, 2):
        (tmp_path / f'v{clip}.mp4').write_bytes(b'x')
    whole = make(tmp_path, split='test', missing='drop', **options)
    assert whole.metainfo['coverage'] == [whole.poses.coverage_row()]


def test_bad_input(place, tmp_path):
    with pytest.raises(FileNotFoundError, match='no such folder of videos'):
        SignVideoDataset(str(place / 'store'), str(tmp_path / 'absent'), PIPELINE)
    write_video(tmp_path / 'a.mp4', (9, 9, 9))
    with pytest.raises(FileNotFoundError, match=r'2 of 3 videos are not there \(b, c\)'):
        SignVideoDataset(str(place / 'store'), str(tmp_path), PIPELINE)
    kept = SignVideoDataset(str(place / 'store'), str(tmp_path), PIPELINE, missing='drop')
    assert len(kept) == 1 and kept[0]['video_id'] == 'a'
    with pytest.raises(FileNotFoundError, match='1 of 1 videos are not there'):
        SignVideoDataset(str(place / 'store'), str(tmp_path), PIPELINE, split='test', missing='drop')
    (tmp_path / 'a.mp4').write_text('no video')
    with pytest.raises(ValueError, match=r'a\.mp4: PyAVInit failed'):
        kept[0]
    write_video(tmp_path / 'other.mp4', (9, 9, 9))
    (tmp_path / 'a.mp4').write_text("ffconcat version 1.0\nfile 'other.mp4'\n")
    with pytest.raises(ValueError, match=r'a\.mp4: no video, or a playlist, which could name other files'):
        kept[0]
    with pytest.raises(ValueError, match="missing must be 'error' or 'drop'"):
        make(place, missing='ignore')


def test_a_clip_with_two_videos_is_refused(tmp_path):
    for name in ('a/x.mp4', 'a/x.MKV', 'cafe\u0301.mts', 'notes.txt'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    videos = VideoFolder(tmp_path)
    assert videos.find('caf\u00e9').endswith('.mts') and videos.find('notes') is None
    with pytest.raises(
        ValueError,
        match=r"clip 'a/x' has two videos, .*x\.MKV and .*x\.mp4; remove one of "
        r'them',
    ):
        videos.find('a/x')
    assert VideoFolder(tmp_path, ['.mkv', '.mp4']).find('a/x').endswith('x.MKV')


def test_the_next_time_of_a_clip_in_an_epoch(place):
    data = make(place, split='train')
    items = data.__getitems__([1, 1 + 2 * 2])
    assert [int(item['inputs']['index']) for item in items] == [1, 5]
    assert [item['video_id'] for item in items] == ['b', 'b'] and items[1]['inputs']['label'] == 1
    with pytest.raises(IndexError):
        data[5]
