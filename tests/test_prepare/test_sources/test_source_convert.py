import json
import os
import shutil

import numpy as np
import pytest
from source_fixtures import Brightness, index, poses, write_poses, write_text, write_video

from signbert_mm.datasets import PoseStore
from signbert_mm.prepare.sources import ClipRecord, convert, open_poses

CLIPS = (('a', 0, 'train'), ('b', 1, 'train'), ('c', 1, 'val'), ('d', 0, 'test'))


def rows(path):
    with open(path, encoding='utf-8') as file:
        return [line.rstrip('\n').split('\t') for line in file][1:]


def test_missing_clips_are_listed_and_counted(tmp_path, capsys):
    folder = write_poses(tmp_path / 'p', dict(a=3, c=4, d=2, other=5))
    (tmp_path / 'p' / 'd.npz').write_bytes(b'torn')
    store = convert(
        index(*CLIPS, official=dict(train=2, val=1, test=5), paper=dict(total=9), licence='free'),
        tmp_path / 's',
        folder,
    )
    assert (
        store.video_id.tolist() == ['a', 'c']
        and store.label.tolist() == [0, 1]
        and store.split.tolist() == ['train', 'val']
    )
    assert (
        store.glosses == ['no', 'yes']
        and store.layout.name == 'coco_wholebody_133'
        and store.fps.tolist() == [25, 25]
    )
    assert store.coverage == {
        'train': dict(expected=2, present=1, per_class=[1, 1]),
        'val': dict(expected=1, present=1, per_class=[0, 1]),
        'test': dict(expected=1, present=0, per_class=[1, 0]),
    }
    assert (
        store.official == dict(train=2, val=1, test=5)
        and store.meta['notes']['paper'] == dict(total=9)
        and store.meta['licence'] == 'free'
    )
    missing = rows(tmp_path / 's' / 'missing.txt')
    assert (
        missing[0] == ['train', 'b', 'yes', 'no poses']
        and missing[1][:3] == ['test', 'd', 'no']
        and 'd.npz: cannot be read' in missing[1][3]
    )
    assert len(store.missing) == 2 and not os.path.exists(tmp_path / 's' / 'doubtful.txt')
    printed = capsys.readouterr().out
    assert (
        'tiny: test: 1 clips listed, 5 in the official list' in printed
        and 'train: 1 of 2 clips (50.0%)' in printed
    )
    store.verify()


@pytest.mark.parametrize(
    'changes, reason',
    [
        (dict(keypoints=np.full((2, 133, 3), np.nan)), 'p: b: frame 0, joint 0 (nose): x is nan'),
        (dict(keypoints=poses(2) * [-1, -1, 1]), 'left of the image or above it'),
        (dict(keypoints=poses(2) / [320, 240, 1]), 'b.npz: no coordinate is above'),
        (dict(keypoints=np.zeros((2, 399))), 'b.npz: float64 of shape (2, 399) found'),
        (
            dict(keypoints=np.asarray([{}], dtype=object)),
            'b.npz: cannot be read (an array holds Python objects',
        ),
        (dict(scores=np.full((2, 133), 'x')), 'b.npz: scores are <U1 of shape (2, 133)'),
        (dict(fps=[25, 30]), 'b.npz: fps is [25, 30]; expected one number, 0 or above'),
        (dict(fps=np.nan), 'b.npz: fps is nan'),
        (dict(width=np.nan), 'b.npz: width is nan'),
        (dict(width=-640), 'b.npz: width is -640'),
        (dict(width='wide'), "b.npz: width is 'wide'"),
    ],
)
def test_one_bad_clip_is_missing(tmp_path, changes, reason):
    folder = write_poses(tmp_path / 'p', dict(a=3, b=2, c=4))
    fields = dict(keypoints=poses(2), width=320, height=240, fps=25.0)
    np.savez(tmp_path / 'p' / 'b.npz', **{**fields, **changes})
    store = convert(index(*CLIPS[:3]), tmp_path / 's', folder)
    assert store.video_id.tolist() == ['a', 'c'] and store.length.tolist() == [3, 4]
    store.verify()
    ((*_, found),) = rows(tmp_path / 's' / 'missing.txt')
    assert reason in found
    with pytest.raises(ValueError, match='none of the 1 clips could be read, the first: b: .*p.*b') as caught:
        convert(index(CLIPS[1]), tmp_path / 't', folder)
    assert reason in str(caught.value) and not os.path.exists(tmp_path / 't')


def test_a_file_that_may_not_be_read_is_missing(tmp_path, monkeypatch):
    folder = write_poses(tmp_path / 'p', dict(a=3, b=2))
    source = open_poses(folder)
    read = source.read

    def refused(key):
        if key == 'b':
            raise PermissionError(13, 'Permission denied', 'p/b.npz')
        return read(key)

    monkeypatch.setattr(source, 'read', refused)
    assert len(convert(index(*CLIPS[:2]), tmp_path / 's', source)) == 1
    assert "Permission denied: 'p/b.npz'" in rows(tmp_path / 's' / 'missing.txt')[0][3]


def test_clips_are_cut_from_their_video(tmp_path):
    folder = write_poses(tmp_path / 'p', dict(long=100, whole=7, cut=5))
    records = [
        # the poses' 25 frames a second count
        ClipRecord('long_1', 0, 'train', 'long', start=1.0, end=2.0, fps=30.0),
        ClipRecord('long_2', 1, 'train', 'long', start=10, end=14, unit='frames'),
        ClipRecord('long_3', 1, 'train', 'long', start=3.0),
        ClipRecord('long_4', 1, 'train', 'long', start=3.96, end=6.0),
        ClipRecord('long_5', 1, 'train', 'long', start=4.0, end=5.0),
        ClipRecord('cut', 1, 'train', 'long', start=1.0, end=2.0),  # there under its own id
        ClipRecord('v', 1, 'train', 'whole'),
    ]
    store = convert(index(*records), tmp_path / 's', folder)
    assert store.video_id.tolist() == [
        'long_1',
        'long_2',
        'long_3',
        'long_4',
        'cut',
        'v',
    ] and store.length.tolist() == [25, 4, 25, 1, 5, 7]
    assert [store.clip(clip)[0][0, 0, 0] - 10 for clip in range(6)] == [25, 10, 75, 99, 0, 0]
    assert rows(tmp_path / 's' / 'missing.txt') == [
        ['train', 'long_5', 'yes', 'the video has 100 frames, the clip is frames 100 to 125']
    ]
    assert rows(tmp_path / 's' / 'doubtful.txt') == [
        ['train', 'long_4', 'yes', '1 of 51 annotated frames are there']
    ]


def test_frames_a_second_and_image_size_of_the_annotation(tmp_path):
    os.mkdir(tmp_path / 'p')
    np.save(tmp_path / 'p' / 'long.npy', poses(100))
    record = dict(label=0, split='train', video='long', start=1.0, end=2.0)
    store = convert(
        index(ClipRecord('a', fps=10.0, size=(320, 240), **record)), tmp_path / 's', str(tmp_path / 'p')
    )
    assert store.length.tolist() == [10] and (store.width[0], store.height[0], store.fps[0]) == (320, 240, 10)
    with pytest.raises(
        ValueError,
        match='none of the 1 clips could be read.*neither poses nor annotation tell the frames a second',
    ):
        convert(index(ClipRecord('a', size=(320, 240), **record)), tmp_path / 't', str(tmp_path / 'p'))
    with pytest.raises(
        ValueError, match='long: neither poses nor annotation tell the image size; give --width'
    ):
        convert(index(ClipRecord('a', fps=10.0, **record)), tmp_path / 't', str(tmp_path / 'p'))
    assert sorted(os.listdir(tmp_path)) == ['p', 's']  # what failed left nothing


def test_poses_outside_the_annotated_box_are_doubtful(tmp_path):
    folder = write_poses(tmp_path / 'p', dict(a=3, b=3))
    records = [
        ClipRecord('a', 0, 'train', box=(0.0, 0.0, 1.0, 1.0)),
        ClipRecord('b', 0, 'train', box=(0.0, 0.0, 0.1, 1.0)),
    ]
    store = convert(index(*records), tmp_path / 's', folder)
    doubtful = rows(tmp_path / 's' / 'doubtful.txt')
    assert (
        len(store) == 2 and len(doubtful) == 1 and doubtful[0][1] == 'b' and 'annotated box' in doubtful[0][3]
    )


def test_clips_are_counted_not_their_remarks(tmp_path, capsys):
    folder = write_poses(tmp_path / 'p', dict(long=30))
    outside = dict(label=0, split='train', video='long', box=(0.0, 0.0, 0.1, 1.0))
    records = [
        ClipRecord('a', start=0.0, end=2.0, **outside),
        ClipRecord('b', start=1.0, end=3.0, **outside),
        ClipRecord('c', 0, 'train', 'long'),
    ]
    convert(index(*records), tmp_path / 's', folder)
    assert [row[1] for row in rows(tmp_path / 's' / 'doubtful.txt')] == ['a', 'a', 'b', 'b']
    printed = capsys.readouterr().out
    assert (
        '  2 clips are in' in printed
        and 'doubtful.txt (train 2)' in printed
        and '    2 of them have poses or a video, the first, a:' in printed
    )


def test_several_extractors_do_not_mix_unless_told(tmp_path):
    one, two = write_poses(tmp_path / 'one', dict(a=3, b=3)), write_poses(tmp_path / 'two', dict(c=3, a=3))
    with pytest.raises(
        ValueError,
        match=r'several extractors would mix.*one: 2 clips.*two: 1 '
        r'clips.*--allow-mixed',
    ):
        convert(index(*CLIPS), tmp_path / 's', [one, two])
    store = convert(index(*CLIPS), tmp_path / 's', [one, two], allow_mixed=True)
    assert (
        store.meta['notes']['extractors'] == [f'unknown ({one})', f'unknown ({two})']
        and store.meta['extractor'].count(';') == 1
    )
    with pytest.raises(ValueError, match='several extractors'):  # the store says it, so poses from it mix too
        convert(index(*CLIPS), tmp_path / 't', [str(tmp_path / 's')])
    assert len(convert(index(*CLIPS[:2]), tmp_path / 't', [one, two])) == 2  # the second is not used
    three = write_poses(tmp_path / 'three', dict(c=3), joints=75)
    with pytest.raises(ValueError, match='several layouts.*coco_wholebody_133.*mediapipe_holistic'):
        convert(index(*CLIPS), tmp_path / 'u', [one, three], allow_mixed=True)


def test_nothing_to_convert(tmp_path):
    folder = write_poses(tmp_path / 'p', dict(x=3))
    with pytest.raises(
        ValueError,
        match=r"not one of 4 clips was found \(names such as 'a'\).*has 1, such "
        r"as \['x'\]",
    ):
        convert(index(*CLIPS), tmp_path / 's', folder)
    with pytest.raises(ValueError, match=r'give poses that were extracted before \(--poses\), or the videos'):
        convert(index(*CLIPS), tmp_path / 's')
    assert not os.path.exists(tmp_path / 's')


def test_a_store_that_is_there_is_replaced_only_when_told(tmp_path):
    folder = write_poses(tmp_path / 'p', dict(a=3, b=4))
    convert(index(*CLIPS), tmp_path / 's', folder)
    with pytest.raises(FileExistsError, match='--overwrite'):
        convert(index(*CLIPS), tmp_path / 's', folder)
    write_poses(tmp_path / 'p', dict(c=4), joints=75)
    with pytest.raises(ValueError, match='75'):  # half way: the old one stays
        convert(index(*CLIPS), tmp_path / 's', folder, overwrite=True)
    assert len(PoseStore(tmp_path / 's')) == 2 and sorted(os.listdir(tmp_path)) == ['p', 's']
    write_poses(tmp_path / 'p', dict(c=4))
    assert len(convert(index(*CLIPS), tmp_path / 's', folder, overwrite=True, dtype='int16')) == 3


def test_what_is_read_is_not_replaced(tmp_path):
    folder = write_poses(tmp_path / 'p', dict(a=3, b=4))
    with pytest.raises(FileExistsError, match=r"p exists and holds '\w\.npz', which would be lost"):
        convert(index(*CLIPS), folder, folder, overwrite=True)
    convert(index(*CLIPS), tmp_path / 's', folder)
    (tmp_path / 'link').symlink_to(tmp_path / 's')
    with pytest.raises(ValueError, match='s: its poses are read, so it is not replaced'):
        convert(index(*CLIPS), tmp_path / 's', str(tmp_path / 'link'), overwrite=True)
    write_video(tmp_path / 'v' / 'a.mp4', 3)
    extractor = Brightness()
    with pytest.raises(FileExistsError, match=r"v exists and holds 'a\.mp4'"):
        convert(
            index(*CLIPS), tmp_path / 'v', videos=str(tmp_path / 'v'), extractor=extractor, overwrite=True
        )
    assert not extractor.seen and sorted(os.listdir(tmp_path)) == ['link', 'p', 's', 'v']


def test_subset_of_a_store(tmp_path):
    folder = write_poses(tmp_path / 'p', dict(long=60))
    records = [
        ClipRecord(f'long_{start}', 0, 'train', 'long', start=start, end=start + 1.0, fps=25.0)
        for start in (0.0, 1.0)
    ]
    convert(index(*records), tmp_path / 's', folder)
    store = convert(index(records[1]), tmp_path / 't', str(tmp_path / 's'))
    assert store.length.tolist() == [25] and store.clip(0)[0][0, 0, 0] == 35  # not cut a second time


def test_reasons_travel_with_a_store(tmp_path):
    folder = write_poses(tmp_path / 'p', dict(a=3, b=4))
    (tmp_path / 'p' / 'b.npz').write_bytes(b'torn')
    convert(index(*CLIPS), tmp_path / 's', folder)
    convert(index(*CLIPS[:3]), tmp_path / 't', str(tmp_path / 's'))
    missing = rows(tmp_path / 't' / 'missing.txt')
    assert (
        [row[1] for row in missing] == ['b', 'c']
        and 'b.npz: cannot be read' in missing[0][3]
        and missing[1][3] == 'no poses'
    )


def test_videos_are_extracted_once(tmp_path):
    for name, frames in (('train/a_color', 4), ('train/b_color', 3), ('val/unused', 3)):
        write_video(tmp_path / 'v' / f'{name}.mp4', frames)
    write_text(tmp_path / 'v' / 'test' / 'd_color.mp4', 'not a video')
    records = [ClipRecord(name, label, split, f'{name}_color') for name, label, split in CLIPS]
    extractor = Brightness()
    with pytest.raises(ValueError, match=r'poses of 3 videos are to be extracted; name the extractor'):
        convert(index(*records), tmp_path / 's', videos=str(tmp_path / 'v'))
    store = convert(index(*records), tmp_path / 's', videos=str(tmp_path / 'v'), extractor=extractor)
    assert extractor.seen == 7 and store.video_id.tolist() == ['a', 'b'] and store.length.tolist() == [4, 3]
    assert (store.width[0], store.height[0], store.fps[0]) == (64, 48, 25)
    assert store.meta['extractor'] == f'brightness 1 [{extractor.fingerprint}]'
    missing = rows(tmp_path / 's' / 'missing.txt')
    assert (
        missing[0] == ['val', 'c', 'yes', 'no poses and no video']
        and missing[1][:3] == ['test', 'd', 'no']
        and 'd_color.mp4' in missing[1][3]
    )

    # found later: only this one is extracted, and d is tried again
    write_video(tmp_path / 'v' / 'c_color.mp4', 5)
    store = convert(
        index(*records), tmp_path / 's', videos=str(tmp_path / 'v'), extractor=extractor, overwrite=True
    )
    assert (
        extractor.seen == 12
        and store.video_id.tolist() == ['a', 'b', 'c']
        and [row[1] for row in rows(tmp_path / 's' / 'missing.txt')] == ['d']
    )
    store = convert(
        index(*records), tmp_path / 's', videos=str(tmp_path / 'v'), extractor=extractor, overwrite=True
    )
    assert extractor.seen == 12 and len(store) == 3 and len(rows(tmp_path / 's' / 'missing.txt')) == 1

    write_video(tmp_path / 'v' / 'test' / 'd_color.mp4', 6)
    other = Brightness(shift=1)
    with pytest.raises(
        ValueError,
        match=r'several extractors would mix.*brightness 1 \[\w+\].*now: '
        r'coco_wholebody_133, brightness 1 \[',
    ):
        convert(index(*records), tmp_path / 's', videos=str(tmp_path / 'v'), extractor=other, overwrite=True)
    assert other.seen == 0  # refused before the work


def test_poses_of_replaced_videos_are_not_used(tmp_path, capsys):
    one, two = tmp_path / 'one', tmp_path / 'two'
    for name, frames in (('a', 4), ('b', 3)):
        write_video(one / f'{name}.mp4', frames)
    two.mkdir()
    shutil.copy(one / 'a.mp4', two / 'b.mp4')
    shutil.copy(one / 'b.mp4', two / 'a.mp4')
    extractor = Brightness()

    def lengths(videos, **kwargs):
        arguments = dict(extractor=extractor, overwrite=True, **kwargs)
        return convert(index(*CLIPS[:2]), tmp_path / 's', videos=str(videos), **arguments).length.tolist()

    assert lengths(one) == [4, 3] and extractor.seen == 7
    assert lengths(two) == [3, 4] and extractor.seen == 14
    assert (
        "s.poses: the videos of 2 of its poses were replaced since, the first: 'a'" in capsys.readouterr().out
    )
    # Both are kept, and a copy elsewhere is the same video.
    shutil.copytree(one, tmp_path / 'deep' / 'one')
    assert lengths(tmp_path / 'deep') == lengths(one) == [4, 3] and lengths(two) == [3, 4]
    assert extractor.seen == 14
    # Poses that were given are used as they are.
    assert lengths(two, poses=str(tmp_path / 's.poses')) == [4, 3]
    meta = tmp_path / 's.poses' / 'meta.json'
    content = json.loads(meta.read_text())
    del content['notes']['video_digests']
    meta.write_text(json.dumps(content))
    assert lengths(two) == [4, 3]
    assert 's.poses: of an earlier version' in capsys.readouterr().out


def test_poses_of_other_settings_are_refused(tmp_path):
    def lengths(clips=CLIPS[:1], **kwargs):
        arguments = dict(dict(extractor=Brightness(), overwrite=True), **kwargs)
        return convert(index(*clips), tmp_path / 's', videos=str(tmp_path / 'v'), **arguments).length.tolist()

    write_video(tmp_path / 'v' / 'a.mp4', 10)
    assert lengths(extraction=dict(fps=None, truncated='error')) == [10]
    remedy = r's.poses: its poses were .* settings \(.*{}.*\); go on with those, remove .*--allow-mixed'
    with pytest.raises(ValueError, match=remedy.format("settings: {'shift': 0} there, {'shift': 1} now")):
        lengths(extractor=Brightness(shift=1))
    for extractor in (Brightness(), None):
        with pytest.raises(ValueError, match=remedy.format('fps: None there, 5 now')):
            lengths(extractor=extractor, extraction=dict(fps=5))
    # The same with something to extract, before it is done.
    write_video(tmp_path / 'v' / 'b.mp4', 10)
    fresh = Brightness()
    with pytest.raises(ValueError, match='fps: None there, 5 now'):
        lengths(CLIPS[:2], extractor=fresh, extraction=dict(fps=5))
    assert fresh.seen == 0
    assert lengths(extractor=None) == [10] and lengths(extraction=dict(truncated='keep')) == [10]
    assert lengths(CLIPS[:2], extraction=dict(fps=5), allow_mixed=True) == [10, 3]
    # Of what was cut off, the frames that are there were kept.
    shutil.rmtree(tmp_path / 's.poses')
    assert lengths(extraction=dict(truncated='keep')) == [10]
    with pytest.raises(ValueError, match=remedy.format("truncated: 'keep' there, 'error' now")):
        lengths()


def test_no_video_is_readable(tmp_path):
    write_text(tmp_path / 'v' / 'a.mp4', 'not a video')
    with pytest.raises(ValueError, match='not one of 4 clips was found.*1 videos, none readable'):
        convert(index(*CLIPS), tmp_path / 's', videos=str(tmp_path / 'v'), extractor=Brightness())
    folder = write_poses(tmp_path / 'p', dict(b=3))
    extractor = Brightness()
    with pytest.raises(ValueError, match='several extractors'):
        convert(index(*CLIPS), tmp_path / 's', folder, str(tmp_path / 'v'), extractor)
    store = convert(index(*CLIPS), tmp_path / 's', folder, str(tmp_path / 'v'), extractor, allow_mixed=True)
    assert len(store) == 1 and [row[1] for row in rows(tmp_path / 's' / 'missing.txt')] == ['a', 'c', 'd']


def test_names_that_differ_in_capitals_are_named(tmp_path, capsys):
    clips = [ClipRecord('a', 0, 'train', signer='Ana'), ClipRecord('b', 1, 'test', signer='ana')]
    convert(index(*clips, glosses=('NO', 'no')), tmp_path / 's', write_poses(tmp_path / 'p', dict(a=3, b=3)))
    said = capsys.readouterr().out
    assert "tiny: glosses 'NO' and 'no' differ in capitals alone, and are kept apart" in said
    assert "tiny: signers 'Ana' and 'ana' differ" in said


def test_a_long_video_is_read_once(tmp_path):
    source = open_poses(write_poses(tmp_path / 'p', dict(a=50, b=50)))
    read, seen = source.read, []
    source.read = lambda key: seen.append(key) or read(key)
    spans = [('a', 0), ('a', 1), ('b', 0), ('b', 0.6)]
    clips = [
        ClipRecord(f'{name}_{start}', 0, 'train', name, start=start, end=start + 0.4) for name, start in spans
    ]
    store = convert(index(*clips), tmp_path / 's', source)
    assert seen == ['a', 'b']
    assert [store.clip(number)[0][0, 0, 0] for number in range(4)] == [10, 35, 10, 25]


def test_extraction_goes_on_after_a_kill(tmp_path):
    class Killed(Brightness):
        def predict(self, items):
            if self.seen >= 5:
                raise KeyboardInterrupt
            return super().predict(items)

    for name in 'abcd':
        write_video(tmp_path / 'v' / f'{name}.mp4', 3)
    with pytest.raises(KeyboardInterrupt):
        convert(index(*CLIPS), tmp_path / 's', videos=str(tmp_path / 'v'), extractor=Killed())
    assert not os.path.exists(tmp_path / 's') and not os.path.exists(tmp_path / 's.poses')
    extractor = Brightness()
    store = convert(index(*CLIPS), tmp_path / 's', videos=str(tmp_path / 'v'), extractor=extractor)
    assert len(store) == 4 and extractor.seen == 9  # the first video was whole
    store.verify()
