"""pyskl's and mmaction2's pickle, both ways."""

import errno
import os
import pickle

import numpy as np
import pytest
from pose_store_fixtures import convert, keypoints, write_store

from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.prepare.importers import PysklClips, UnreadableError, export_pyskl, write_clips
from signbert_mm.prepare.sources import open_poses


def annotation(name, people=1, frames=3, label=0, dtype=np.float16, **changes):
    random = np.random.RandomState(frames)
    fields = dict(
        frame_dir=name,
        total_frames=frames,
        img_shape=(480, 640),
        original_shape=(480, 640),
        label=label,
        keypoint=random.uniform(1, 400, (people, frames, 133, 2)).astype(dtype),
        keypoint_score=random.uniform(0.1, 0.2, (people, frames, 133)).astype(dtype),
    )
    fields['keypoint_score'][-1] += 0.5
    return {**fields, **changes}


def pyskl_file(path, annotations, protocol=2, split=None, **extra):
    split = dict(train=['a', 'b'], test=['b', 'c']) if split is None else split
    path.write_bytes(pickle.dumps(dict(split=split, annotations=annotations, **extra), protocol=protocol))
    return str(path)


@pytest.mark.parametrize('protocol', [2, 4, 5])
def test_pyskl_import(tmp_path, protocol):
    annotations = [
        annotation('a', 2, 3, np.int64(1)),
        annotation('b', 1, 4),
        annotation('c', 1, 5, 2),
        annotation('unused'),
    ]
    clips = PysklClips(pyskl_file(tmp_path / 'f.pkl', annotations, protocol), 'coco_wholebody_133')
    store = write_clips(PoseStoreWriter(tmp_path / 's', clips.layout, clips.glosses), clips)
    assert list(zip(store.video_id, store.split, store.label)) == [
        ('a', 'train', 1),
        ('b', 'train', 0),
        ('b', 'test', 0),
        ('c', 'test', 2),
    ]
    assert store.glosses == ['0', '1', '2'] and store.width[0] == 640 and store.height[0] == 480
    points, scores = store.clip(0)
    np.testing.assert_array_equal(points, annotations[0]['keypoint'][1])  # the one seen best
    np.testing.assert_array_equal(scores, annotations[0]['keypoint_score'][1])
    assert [
        clip.video_id for clip in PysklClips(str(tmp_path / 'f.pkl'), 'coco_wholebody_133', splits=['test'])
    ] == ['b', 'c']


def test_pyskl_without_scores_or_splits_or_people(tmp_path):
    plain = annotation('a')
    del plain['keypoint_score']
    plain['keypoint'][0, 1, 5] = 0
    nobody = annotation('b', keypoint=np.zeros((0, 3, 133, 2)), keypoint_score=np.zeros((0, 3, 133)))
    (tmp_path / 'f.pkl').write_bytes(pickle.dumps([plain, nobody]))
    first, second = PysklClips(str(tmp_path / 'f.pkl'), 'coco_wholebody_133')
    assert (
        first.split == 'train'
        and first.keypoints[1, 5].tolist() == [0, 0, 0]
        and first.keypoints[..., 2].sum() == 3 * 133 - 1
    )
    assert second.keypoints.shape == (3, 133, 3) and not second.keypoints.any()


@pytest.mark.parametrize(
    'changes, message',
    [
        (
            dict(keypoint=np.zeros((1, 3, 133, 3))),
            r'annotation 0 \(a\): keypoint is of shape \(1, 3, 133, '
            r'3\).*3-D joints are not read',
        ),
        (dict(total_frames=4), r'expected \(people, 4, joints, 2\)'),
        (dict(keypoint_score=np.zeros((1, 3, 132))), 'keypoint_score is of shape'),
        (dict(label=[1, 2]), r'label is \[1, 2\]; expected one whole number'),
        (dict(label='yes'), 'label is'),
        (dict(keypoint=np.full((1, 3, 133, 2), np.nan)), 'frame 0, joint 0 .*x is nan'),
        (dict(keypoint=np.zeros((1, 3, 17, 2)), keypoint_score=np.zeros((1, 3, 17))), '17 joints found'),
    ],
)
def test_pyskl_errors(tmp_path, changes, message):
    path = pyskl_file(tmp_path / 'f.pkl', [annotation('a', **changes)])
    with pytest.raises(ValueError, match=message):
        clips = PysklClips(path, 'coco_wholebody_133')
        write_clips(PoseStoreWriter(tmp_path / 's', clips.layout, clips.glosses), clips)
    assert os.listdir(tmp_path) == ['f.pkl']


def test_pyskl_file_errors(tmp_path):
    path = pyskl_file(tmp_path / 'f.pkl', [annotation('a')])
    with pytest.raises(ValueError, match='does not say its layout'):
        PysklClips(path)
    with pytest.raises(ValueError, match=r"no split \['val'\]; splits there: {'train': 2, 'test': 2}"):
        PysklClips(path, 'coco_wholebody_133', splits=['val'])
    with pytest.raises(ValueError, match='no annotation is in any of the splits'):
        PysklClips(pyskl_file(tmp_path / 'f.pkl', [annotation('z')]), 'coco_wholebody_133')
    broken = annotation('a')
    del broken['label']
    with pytest.raises(ValueError, match='annotation 0: field label is absent'):
        PysklClips(pyskl_file(tmp_path / 'f.pkl', [broken]), 'coco_wholebody_133')
    with pytest.raises(ValueError, match='f.pkl: annotation 0: frame_dir is None; expected text'):
        PysklClips(pyskl_file(tmp_path / 'f.pkl', [annotation(None)]), 'coco_wholebody_133')
    (tmp_path / 'f.pkl').write_bytes(pickle.dumps(3))
    with pytest.raises(ValueError, match='expected dict'):
        PysklClips(path, 'coco_wholebody_133')


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_pyskl_payload_is_refused(tmp_path):
    path = pyskl_file(tmp_path / 'f.pkl', [annotation('a', keypoint=Payload(str(tmp_path / 'ran')))])
    with pytest.raises(
        ValueError,
        match=r'f.pkl: refused .*mkdir, which is not on the list.*nothing from it '
        r'was run',
    ):
        PysklClips(path, 'coco_wholebody_133')
    assert os.listdir(tmp_path) == ['f.pkl']


def test_pyskl_round_trip(root, monkeypatch, tmp_path):
    store = write_store(tmp_path / 's', splits=['train', 'test', 'train', 'val'])
    convert(root, monkeypatch, 'store_to_pyskl.py', tmp_path / 's', tmp_path / 'f.pkl')
    convert(root, monkeypatch, 'pyskl_to_store.py', tmp_path / 'f.pkl', tmp_path / 't')
    back = PoseStore(tmp_path / 't')
    assert back.glosses == store.glosses and back.layout == store.layout
    for name in ('label', 'length', 'split', 'video_id', 'signer', 'width', 'height', 'fps'):
        assert getattr(back, name).tolist() == getattr(store, name).tolist()
    np.testing.assert_array_equal(back.keypoints, store.keypoints)
    (tmp_path / 'words.txt').write_text('x\ny\nz\n')
    options = ('--overwrite', '--glosses', tmp_path / 'words.txt', '--splits', 'train')
    convert(root, monkeypatch, 'pyskl_to_store.py', tmp_path / 'f.pkl', tmp_path / 't', *options)
    assert PoseStore(tmp_path / 't').glosses == ['x', 'y', 'z'] and len(PoseStore(tmp_path / 't')) == 2


def test_a_small_file_does_not_fill_the_memory(tmp_path):
    path = pyskl_file(tmp_path / 'f.pkl', [annotation('a', label=1 << 40)])
    with pytest.raises(
        ValueError, match='annotation 0: label is 1099511627776; correct it, or give the list of glosses'
    ):
        PysklClips(path, 'coco_wholebody_133')
    nobody = dict(
        keypoint=np.zeros((0, 1 << 40, 133, 2), np.float32),
        keypoint_score=np.zeros((0, 1 << 40, 133), np.float32),
    )
    path = pyskl_file(tmp_path / 'g.pkl', [annotation('a', total_frames=1 << 40, **nobody)])
    with pytest.raises(ValueError, match='1099511627776 frames without anybody'):
        list(PysklClips(path, 'coco_wholebody_133'))
    path = pyskl_file(tmp_path / 'h.pkl', [annotation('a')], split=[['a']])
    with pytest.raises(ValueError, match='split is list; expected dict'):
        PysklClips(path, 'coco_wholebody_133')


def test_the_rate_goes_both_ways(tmp_path):
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']) as writer:
        for name, fps in (('v', 29.97), ('w', 0.0)):
            writer.add(keypoints(2), 0, 'train', name, width=1, height=1, fps=fps)
    export_pyskl(PoseStore(tmp_path / 's'), str(tmp_path / 'f.pkl'))
    assert [clip.fps for clip in PysklClips(str(tmp_path / 'f.pkl'))] == [pytest.approx(29.97, abs=1e-5), 0.0]
    wrong = pyskl_file(tmp_path / 'w.pkl', [annotation('a', fps=-1)])
    with pytest.raises(ValueError, match=r'w.pkl: annotation 0 \(a\): fps is -1; expected frames a second'):
        list(PysklClips(wrong, 'coco_wholebody_133'))


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(keypoint=[[1.0], [1.0, 2.0]]), 'keypoint is .*; expected numbers'),
        (dict(keypoint=np.zeros((1, 3, 133, 3))), r'keypoint is of shape \(1, 3, 133, 3\)'),
        (dict(keypoint_score=np.full((1, 3, 133), 'x')), 'keypoint_score is .*; expected numbers'),
        (dict(keypoint_score=np.zeros((1, 2))), r'keypoint_score is of shape \(1, 2\)'),
        (dict(total_frames='many'), "total_frames is 'many'; expected one whole number"),
        (dict(img_shape=(np.nan, 640)), r'img_shape is \[nan, 640.0\]; expected height and width'),
        (dict(img_shape=480), 'img_shape is 480; expected height and width'),
        (dict(fps=[25, 30]), r'fps is \[25, 30\]; expected frames a second'),
    ],
)
def test_one_bad_clip_is_unreadable(tmp_path, changes, message):
    path = pyskl_file(tmp_path / 'f.pkl', [annotation('a', **changes), annotation('b')])
    clips = PysklClips(path, 'coco_wholebody_133')
    with pytest.raises(UnreadableError, match=rf'f.pkl: annotation 0 \(a\): {message}'):
        clips.clip(0)
    assert clips.clip(1).height == 480


def test_export_of_one_id_in_two_splits(tmp_path):
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']) as writer:
        for split in ('train', 'test'):
            writer.add(keypoints(2), 0, split, 'v', width=1, height=1)
    export_pyskl(PoseStore(tmp_path / 's'), str(tmp_path / 'f.pkl'))
    assert pickle.loads((tmp_path / 'f.pkl').read_bytes())['split'] == dict(
        train=['train/v'], test=['test/v']
    )


def test_exported_pickle_loads_in_mmaction2(tmp_path):
    try:
        from signbert_mm.compat import import_mmaction

        import_mmaction()
        from mmaction.datasets import PoseDataset as ActionPoseDataset
        from mmaction.utils import register_all_modules
    except ImportError as error:
        pytest.skip(f'mmaction2 is not installed ({error})')
    store = write_store(
        tmp_path / 's', (9, 5, 7), splits=['train', 'train', 'val'], layout='coco_wholebody_133'
    )
    export_pyskl(store, str(tmp_path / 'f.pkl'))
    register_all_modules(init_default_scope=False)
    pipeline = [
        dict(type='mmaction.UniformSampleFrames', clip_len=4, test_mode=True, num_clips=1),
        dict(type='mmaction.PoseDecode'),
    ]
    dataset = ActionPoseDataset(str(tmp_path / 'f.pkl'), pipeline, split='train', test_mode=True)
    assert len(dataset) == 2
    item = dataset[1]
    points, scores = store.clip(1)
    assert (
        item['frame_dir'] == 'v1'
        and item['label'] == 1
        and item['total_frames'] == 5
        and item['img_shape'] == (480, 640)
    )
    np.testing.assert_array_equal(item['keypoint'][0], points[item['frame_inds']])
    np.testing.assert_array_equal(item['keypoint_score'][0], scores[item['frame_inds']])


def test_what_a_store_says_of_itself_survives_the_round_trip(root, monkeypatch, tmp_path):
    about = dict(source='home', licence='CC0', extractor='rtmlib', extractor_version='0.0.13')
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a'], **about) as writer:
        for split, fps in (('train', 25), ('test', 29.97)):
            writer.add(keypoints(2), 0, split, 'v', width=640, height=480, fps=fps)
    convert(root, monkeypatch, 'store_to_pyskl.py', tmp_path / 's', tmp_path / 'f.pkl')
    convert(root, monkeypatch, 'pyskl_to_store.py', tmp_path / 'f.pkl', tmp_path / 't')
    back = PoseStore(tmp_path / 't')
    assert (
        back.video_id.tolist() == ['v', 'v'] and back.fps.tolist() == PoseStore(tmp_path / 's').fps.tolist()
    )
    assert {key: back.meta[key] for key in about} == about
    convert(
        root,
        monkeypatch,
        'pyskl_to_store.py',
        tmp_path / 'f.pkl',
        tmp_path / 't',
        '--overwrite',
        '--licence',
        'CC-BY',
    )
    assert PoseStore(tmp_path / 't').meta['licence'] == 'CC-BY'


def test_entries_of_a_split_that_match_nothing_are_named(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr('signbert_mm.prepare.importers.pyskl.print_log', lambda text, **_: lines.append(text))
    content = dict(
        split=dict(train=['a', 'a', 'z'], val=['y']), annotations=[annotation('a'), annotation('b')]
    )
    (tmp_path / 'f.pkl').write_bytes(pickle.dumps(content))
    clips = PysklClips(str(tmp_path / 'f.pkl'), 'coco_wholebody_133')
    assert [clip.video_id for clip in clips] == ['a']
    shown = [line.split(': ', 1)[1] for line in lines]
    assert shown == [
        "1 of 3 clips of split 'train' have no annotation (theirs are called as 'a'): z",
        "1 clips are listed twice in split 'train', and taken once: a",
        "1 of 1 clips of split 'val' have no annotation (theirs are called as 'a'): y",
        '1 of 2 annotations are in no split and are left out: b',
    ]


class View:
    """As numpy 2.3 and later pickle a view whose axes were exchanged."""

    def __init__(self, array, axes):
        self.array, self.axes = array, axes

    def __reduce__(self):
        from numpy.core.numeric import _frombuffer

        return _frombuffer, (self.array.tobytes(), self.array.dtype, self.array.shape, 'K', self.axes)


def test_a_view_of_numpy_2_3_is_read(tmp_path):
    values = np.random.RandomState(0).uniform(5, 300, (4, 1, 133, 2)).astype(np.float32)  # (T, M, V, 2)
    item = dict(annotation('a'), total_frames=4, keypoint=View(values, (1, 0, 2, 3)))
    item.pop('keypoint_score', None)
    (tmp_path / 'f.pkl').write_bytes(pickle.dumps([item]))
    (clip,) = PysklClips(str(tmp_path / 'f.pkl'), 'coco_wholebody_133')
    np.testing.assert_array_equal(clip.keypoints[..., :2], values[:, 0])
    item['keypoint'] = View(values, (0, 0, 2, 3))
    (tmp_path / 'f.pkl').write_bytes(pickle.dumps([item]))
    with pytest.raises(ValueError, match='refused'):
        PysklClips(str(tmp_path / 'f.pkl'), 'coco_wholebody_133')


def test_a_file_of_glosses_with_a_byte_order_mark(root, monkeypatch, tmp_path):
    write_store(tmp_path / 's')
    convert(root, monkeypatch, 'store_to_pyskl.py', tmp_path / 's', tmp_path / 'f.pkl')
    (tmp_path / 'words.txt').write_bytes('\ufeffhello\r\nthanks \r\nplease\r\n'.encode())
    convert(
        root,
        monkeypatch,
        'pyskl_to_store.py',
        tmp_path / 'f.pkl',
        tmp_path / 't',
        '--glosses',
        tmp_path / 'words.txt',
    )
    assert PoseStore(tmp_path / 't').glosses == ['hello', 'thanks', 'please']


def test_names_are_cleaned(tmp_path):
    annotations = [annotation('cafe\u0301'), annotation('b', label=1)]
    split = {'Train': ['caf\u00e9'], 'TEST ': np.asarray(['b'])}
    path = pyskl_file(tmp_path / 'f.pkl', annotations, split=split, glosses=['cafe\u0301', 'hello '])
    clips = PysklClips(path, 'coco_wholebody_133')
    assert clips.glosses == ['caf\u00e9', 'hello']
    assert [(clip.video_id, clip.split) for clip in clips] == [('caf\u00e9', 'train'), ('b', 'test')]
    assert len(PysklClips(path, 'coco_wholebody_133', splits=['Test'])) == 1


@pytest.mark.parametrize('signer, name', [(None, ''), (np.nan, ''), (np.int64(3), '3'), (' anna', 'anna')])
def test_the_signer(tmp_path, signer, name):
    (clip,) = PysklClips(
        pyskl_file(tmp_path / 'f.pkl', [annotation('a', signer=signer)], split={}), 'coco_wholebody_133'
    )
    assert clip.signer == name


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(total_frames=None), 'total_frames is None; expected one whole number'),
        (dict(total_frames=2.5), 'total_frames is 2.5; expected one whole number'),
        (dict(img_shape=None), 'img_shape is None; expected height and width'),
        (dict(img_shape=(480, np.nan)), r'img_shape is \[480.0, nan\]; expected height and width'),
        (dict(keypoint=None), 'keypoint is None; expected numbers'),
        (dict(keypoint_score=None), 'keypoint_score is None; expected numbers'),
        (dict(fps='fast'), "fps is 'fast'; expected frames a second"),
        (dict(signer=['anna']), r"signer is \['anna'\]; expected a name"),
        (dict(frame_times=[0, 1]), r'frame_times: times are of shape \(2,\); give seconds of the 3 frames'),
        (dict(frame_times='x'), "frame_times is 'x'; expected seconds"),
    ],
)
def test_fields_of_a_wrong_kind(tmp_path, changes, message):
    path = pyskl_file(tmp_path / 'f.pkl', [annotation('a', **changes)], split={})
    with pytest.raises(ValueError, match=rf'f.pkl: annotation 0 \(a\): {message}'):
        list(PysklClips(path, 'coco_wholebody_133'))


@pytest.mark.parametrize(
    'content, message',
    [
        (dict(split=dict(train='a')), "split 'train': 'a' found; expected a list of names"),
        (dict(split={('a', 'b'): ['a']}), 'split: .* expected a list of names'),
        (dict(split={'Train': ['a'], 'train': ['a']}), 'splits .*: two are one name'),
        (dict(split={'Dev': ['a'], 'dev': ['a']}), "splits 'Dev' and 'dev' differ in their capitals alone"),
        (dict(split={}, glosses={0: 'hello'}), 'glosses: {0: .* expected a list of names'),
    ],
)
def test_names_that_are_no_list(tmp_path, content, message):
    with pytest.raises(ValueError, match=f'f.pkl: {message}'):
        PysklClips(pyskl_file(tmp_path / 'f.pkl', [annotation('a')], **content), 'coco_wholebody_133')


def test_times_of_an_uneven_rate_go_both_ways(tmp_path):
    times = np.asarray([0, 0.04, 0.08, 0.3, 0.34])
    with PoseStoreWriter(tmp_path / 's', 'sign_49', ['a']) as writer:
        writer.add(keypoints(5), 0, 'train', 'even', width=1, height=1, fps=25)
        writer.add(keypoints(5), 0, 'train', 'uneven', width=1, height=1, fps=25, times=times)
    export_pyskl(PoseStore(tmp_path / 's'), str(tmp_path / 'f.pkl'))
    clips = PysklClips(str(tmp_path / 'f.pkl'))
    back = write_clips(PoseStoreWriter(tmp_path / 't', clips.layout, clips.glosses), clips)
    assert back.frame_times(0) is None
    np.testing.assert_array_equal(back.frame_times(1), times.astype(np.float32))
    # As poses of a video, too, which clips are cut from.
    pose = open_poses(str(tmp_path / 'f.pkl')).read('uneven')
    np.testing.assert_array_equal(pose.times, back.frame_times(1))


def test_a_file_that_is_there_is_replaced_only_on_demand(root, monkeypatch, tmp_path):
    store = write_store(tmp_path / 's')
    (tmp_path / 'f.pkl').write_text('mine')
    with pytest.raises(FileExistsError, match=r'f.pkl exists; choose another file, .*--overwrite'):
        export_pyskl(store, str(tmp_path / 'f.pkl'))
    assert (tmp_path / 'f.pkl').read_text() == 'mine'
    convert(root, monkeypatch, 'store_to_pyskl.py', tmp_path / 's', tmp_path / 'f.pkl', '--overwrite')
    assert len(PysklClips(str(tmp_path / 'f.pkl'))) == 4
    with pytest.raises(FileExistsError, match='s is a folder; give the name of a file'):
        export_pyskl(store, str(tmp_path / 's'), overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ['f.pkl', 's']


def test_a_full_disk_names_the_file_and_leaves_nothing(monkeypatch, tmp_path):
    store = write_store(tmp_path / 's')

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr('signbert_mm.prepare.importers.pyskl.pickle.dump', full)
    with pytest.raises(OSError, match='No space left on device: .*f.pkl'):
        export_pyskl(store, str(tmp_path / 'f.pkl'))
    assert os.listdir(tmp_path) == ['s']
