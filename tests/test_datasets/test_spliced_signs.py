import numpy as np
import pytest
import torch
from pose_store_fixtures import keypoints, write_store

from signbert_mm.datasets import PoseDataset, PoseStoreWriter, SplicedSigns
from signbert_mm.registry import DATASETS

STILL = dict(tremble=0.0, drift=0.0)


@pytest.fixture
def clips(tmp_path):
    write_store(tmp_path / 'clips', (12, 30, 9, 16, 20))
    return PoseDataset(tmp_path / 'clips', drop_empty_frames=False)


def video(made, index=0):
    inputs = made[index]['inputs']
    return {name: value.numpy() for name, value in inputs.items()}


def test_labels_and_spans_say_the_same(clips):
    made = SplicedSigns(clips, signs=3, fps=25.0, begin=0.08)
    for index in range(len(made)):
        data = video(made, index)
        labels = np.zeros(data['length'], dtype=np.int64)
        for start, end, gloss in data['spans']:
            labels[start:end], labels[start : min(start + 2, end)] = 2, 1
            assert 0 <= gloss < 3 and start < end
        assert data['frame_label'].tolist() == labels.tolist()
        # it begins and ends with a rest, and no two signs touch
        assert labels[0] == labels[-1] == 0
        assert (data['spans'][1:, 0] > data['spans'][:-1, 1]).all()


def test_at_the_recorded_speed_signs_are_the_clips(clips):
    made = SplicedSigns(clips, signs=3, fps=25.0, speed=(1.0, 1.0), **STILL)
    for index in range(5):
        data, signers = video(made, index), set()
        for start, end, gloss in data['spans'].tolist():
            pieces = [clips[number]['inputs'] for number in range(5)]
            same = [
                number
                for number, piece in enumerate(pieces)
                if len(piece['keypoints']) == end - start
                and np.array_equal(piece['keypoints'].numpy(), data['keypoints'][start:end])
            ]
            assert len(same) == 1 and clips.labels[same[0]] == gloss
            signers.add(same[0] % 2)
        # one signer is seen in a video
        assert len(signers) == 1


def test_twice_the_speed_and_half_the_rate_are_a_quarter_of_the_frames(clips):
    made = SplicedSigns(clips, signs=2, fps=12.5, speed=(2.0, 2.0), **STILL)
    lengths = {end - start for row in range(5) for start, end, _ in video(made, row)['spans']}
    # of 12, 30, 9, 16 and 20 frames
    assert lengths <= {3, 8, 2, 4, 5} and len(lengths) > 1


def test_hands_at_rest_are_still_or_out_of_sight(clips):
    for hidden in (0.0, 1.0):
        made = SplicedSigns(clips, signs=2, fps=25.0, rest=(1.0, 1.0), hidden=hidden, **STILL)
        data = video(made)
        # the first rest is a second long
        assert (data['keypoints'][:25] == data['keypoints'][0]).all()
        assert bool(data['scores'][:25].any()) == (not hidden)


def test_without_rests_the_hands_move_from_sign_to_sign(clips):
    options = dict(signs=3, fps=25.0, rest_prob=0.0, move=(0.2, 0.2), **STILL)
    data = video(SplicedSigns(clips, **options))
    (_, end, _), (start, _, _) = data['spans'][:2]
    assert start - end == 5
    last, first = data['keypoints'][end - 1], data['keypoints'][start]
    time = (np.arange(5) + 0.5) / 5
    way = (3 * time**2 - 2 * time**3)[:, None, None]
    np.testing.assert_allclose(data['keypoints'][end:start], last * (1 - way) + first * way, atol=1e-3)


def test_a_video_depends_on_seed_epoch_and_index_alone(clips):
    made = SplicedSigns(clips, signs=2, clip_len=40)
    batch, alone = made.__getitems__([0, 3, 2])['inputs'], made.__getitems__([3])['inputs']
    assert all(torch.equal(batch[name][1], alone[name][0]) for name in alone)
    made.set_epoch(1)
    assert not torch.equal(made[3]['inputs']['keypoints'], alone['keypoints'][0])
    made.set_epoch(0)
    assert torch.equal(made[3]['inputs']['keypoints'], alone['keypoints'][0])
    made.set_seed(5)
    assert not torch.equal(made[3]['inputs']['keypoints'], alone['keypoints'][0])


def test_pieces_are_cut_out_of_whole_videos(clips):
    whole, cut = (SplicedSigns(clips, signs=3, fps=25.0, clip_len=length, **STILL) for length in (None, 30))
    for index in range(5):
        data, piece = video(whole, index), video(cut, index)
        starts = [
            start
            for start in range(data['length'] - 29)
            if np.array_equal(data['keypoints'][start : start + 30], piece['keypoints'])
        ]
        assert any(
            data['frame_label'][start : start + 30].tolist() == piece['frame_label'].tolist()
            for start in starts
        )
        spans = piece['spans'][piece['spans'][:, 1] > 0]
        assert (spans[:, :2] >= 0).all() and (spans[:, :2] <= 30).all()


def test_short_videos_are_padded(clips):
    data = video(SplicedSigns(clips, signs=1, fps=5.0, clip_len=200))
    count = data['length']
    assert count < 200 and (data['frame_label'][count:] == -1).all() and (data['scores'][count:] == 0).all()
    assert (data['frame_label'][:count] >= 0).all() and not data['keypoints'][count:].any()


def test_all_frames_tremble_alike(clips):
    still, moved = (
        SplicedSigns(clips, signs=2, tremble=tremble, drift=0.0)[1]['inputs'] for tremble in (0.0, 0.01)
    )
    shift = (still['keypoints'] - moved['keypoints']).abs() / 640
    inside = still['frame_label'] > 0
    assert float(shift.max()) <= 0.0101
    assert float(shift[inside].max()) > 0.009 and float(shift[~inside].max()) > 0.009
    assert not moved['keypoints'][moved['scores'] == 0].any()


def test_metainfo_has_the_rate_of_the_videos(clips):
    made = DATASETS.build(
        dict(type='SplicedSigns', dataset=clips, fps=10.0, length=7, signs=2, test_mode=True)
    )
    assert made.metainfo['fps'] == 10.0 and made.metainfo['glosses'] == ['a', 'b', 'c'] and len(made) == 7
    assert made.__getitems__([6, 1])['video_id'] == ['clips/spliced_6', 'clips/spliced_1']
    assert made[6]['video_id'] == 'clips/spliced_6'


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(signs=0), 'signs must be at least 1, got 0'),
        (dict(clip_len=0), 'clip_len must be at least 1'),
        (dict(speed=(2.0, 1.0)), r'speed is \(smallest, largest\), both above 0, got \(2.0, 1.0\)'),
        (dict(rest=(0.0, 1.0)), 'rest is'),
        (dict(fps=0.0), 'fps and source_fps must be above 0'),
        (dict(drift=-1.0), 'not negative'),
        (dict(hidden=1.5), r'lie in \[0, 1\], got 0.5 and 1.5'),
    ],
)
def test_wrong_options(clips, options, message):
    with pytest.raises(ValueError, match=message):
        SplicedSigns(clips, **options)


def test_a_pipeline_that_samples_is_refused(clips):
    sampled = PoseDataset(clips.store.folder, pipeline=[dict(type='UniformTemporalSample', clip_len=8)])
    with pytest.raises(ValueError, match='leave the temporal transform out'):
        SplicedSigns(sampled)


def test_a_clip_without_a_hand_is_named(tmp_path):
    with PoseStoreWriter(tmp_path / 'clips', 'sign_49', ['a']) as writer:
        writer.add(keypoints(5, hands=False), 0, 'train', 'empty', width=640, height=480)
    with pytest.raises(ValueError, match=r"clip 'empty' shows no hand.*set empty_clip='drop'"):
        SplicedSigns(PoseDataset(tmp_path / 'clips'), signs=1)[0]
