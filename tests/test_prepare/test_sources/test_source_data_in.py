"""What users have: names, spans and rates of videos, from a folder to a store."""

import os

import cv2
import numpy as np
import pytest
from source_fixtures import Brightness, index, poses, write_poses, write_text, write_video

from signbert_mm.datasets import PoseStore, PoseStoreWriter
from signbert_mm.extraction import PoseExtractor, extract_folder, find_videos
from signbert_mm.prepare.sources import ClipRecord, convert
from signbert_mm.prepare.sources.files import find_file
from signbert_mm.prepare.sources.video_folder import video_folder_index


def store(folder, *names):
    with PoseStoreWriter(folder, 'coco_wholebody_133', [], extractor='toy') as writer:
        for seed, name in enumerate(names):
            writer.add(poses(3, seed=seed), -1, 'all', name, width=320, height=240, fps=25.0)
    return str(folder)


def test_poses_of_another_clip_are_not_taken(tmp_path):
    clips = index(('hello/1', 1, 'train'), ('bye/1', 0, 'train'))
    one, two = store(tmp_path / 'one', '1'), store(tmp_path / 'two', '1')
    with pytest.raises(ValueError, match=f"'hello/1' fits several: '1' of {one} and '1' of {two}"):
        convert(clips, str(tmp_path / 's'), [one, two])
    with pytest.raises(ValueError, match=f"'1' of {one} fits several clips: 'hello/1' and 'bye/1'"):
        convert(clips, str(tmp_path / 's'), [one])
    assert not os.path.exists(tmp_path / 's')
    right = convert(clips, str(tmp_path / 's'), store(tmp_path / 'right', 'bye/1', 'hello/1'))
    assert right.clip(0)[0][0, 1, 0] != right.clip(1)[0][0, 1, 0] and len(right) == 2


def test_a_video_of_another_clip_is_not_taken(tmp_path):
    write_video(tmp_path / 'v' / '1.avi', 3)
    clips = index(('hello/1', 1, 'train'), ('bye/1', 0, 'train'))
    with pytest.raises(ValueError, match="'1' of .* fits several clips: 'hello/1' and 'bye/1'"):
        convert(clips, str(tmp_path / 's'), videos=str(tmp_path / 'v'), extractor=Brightness())


def test_names_that_are_not_quite_equal_are_told(tmp_path, capsys):
    convert(
        index(('a', 0, 'train'), ('b', 0, 'train')),
        str(tmp_path / 's'),
        store(tmp_path / 'p', 'x/a', 'b', 'rest'),
    )
    printed = capsys.readouterr().out
    assert "tiny: 1 clip is found by the end of the name, the first: 'a' is 'x/a' of" in printed
    assert "1 of 3 poses are of no listed clip, the first: 'rest'" in printed


def test_what_lies_beside_the_videos_is_counted(tmp_path, capsys):
    for gloss in ('hello', 'bye'):
        write_video(tmp_path / 'v' / gloss / 'a.avi', 3)
    write_text(tmp_path / 'v' / 'bye' / 'notes.txt', '')
    (tmp_path / 'v' / 'empty').mkdir()
    broken = os.path.join(os.fsencode(tmp_path), b'v/bye/caf\xe9.mp4')
    with open(broken, 'wb'):
        pass
    clips = video_folder_index(str(tmp_path / 'v'))
    convert(clips, str(tmp_path / 's'), videos=str(tmp_path / 'v'), extractor=Brightness())
    printed = capsys.readouterr().out
    assert (
        'train: 2 of 2 clips (100.0%)' in printed
        and '2 files or folders are not taken, the first: ' in printed
    )
    assert clips.glosses == ['bye', 'hello'] and 'caf\\xe9.mp4 (the name is not UTF-8: rename it)' in printed


def test_folders_of_images_that_are_no_sequence_are_missing_clips(tmp_path):
    for name in (
        'hello/good/0.png',
        'hello/good/1.png',
        'bye/cams/l0.png',
        'bye/cams/l1.png',
        'bye/cams/r0.png',
        'bye/cams/r1.png',
    ):
        (tmp_path / 'v' / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / 'v' / name), np.zeros((48, 64, 3), np.uint8))
    clips = video_folder_index(str(tmp_path / 'v'))
    made = convert(clips, str(tmp_path / 's'), videos=str(tmp_path / 'v'), extractor=Brightness())
    assert made.coverage['train']['expected'] == 2 and made.video_id.tolist() == ['hello/good']
    assert 'bye/cams' in made.missing[0] and '2 sequences in one folder' in made.missing[0]
    assert [name for name, _ in find_videos(tmp_path / 'v')] == ['hello/good']
    assert [name for name, _ in find_videos(tmp_path / 'v', unclear=True)] == ['bye/cams', 'hello/good']


def test_two_videos_of_one_name(tmp_path):
    write_video(tmp_path / 'v' / 'hello' / 'a.mp4', 3)
    write_video(tmp_path / 'v' / 'hello' / 'a.avi', 5)
    folder = str(tmp_path / 'v')
    message = r"hello/a\.avi and hello/a\.mp4 would both be clip 'hello/a'; .*\(--repeated first\)"
    with pytest.raises(ValueError, match=message):
        video_folder_index(folder)
    clips = video_folder_index(folder, repeated='first')
    made = convert(clips, str(tmp_path / 's'), videos=folder, extractor=Brightness())
    assert made.length.tolist() == [5] and made.meta['notes']['repeated'] == ['hello/a: hello/a.mp4']
    with pytest.raises(ValueError, match="repeated is 'last'"):
        video_folder_index(folder, repeated='last')


def test_a_wrong_span_matters_only_where_it_is_cut(tmp_path):
    folder = write_poses(tmp_path / 'p', dict(cut=5, long=50))
    records = [
        ClipRecord.of_span('cut', 0, 'train', 'long', start=1.56, end=0.8),
        ClipRecord.of_span('uncut', 0, 'train', 'long', start=1.56, end=0.8),
        ClipRecord.of_span('early', 0, 'train', 'long', start=-0.04, end=0.8),
    ]
    made = convert(index(*records), str(tmp_path / 's'), folder)
    assert made.video_id.tolist() == ['cut', 'early'] and made.length.tolist() == [5, 20]
    assert 'start 1.56 and end 0.8 (seconds) leave no frames; correct the annotation' in made.missing[0]


def test_two_annotations_that_are_equally_near(tmp_path):
    for name in ('a/train.csv', 'b/train.csv'):
        write_text(tmp_path / name, '')
    with pytest.raises(ValueError, match='the list is there 2 times: .*a/train.csv and .*b/train.csv'):
        find_file(str(tmp_path), ['train.csv'], 'the list')
    write_text(tmp_path / 'train.csv', '')
    assert find_file(str(tmp_path), ['train.csv'], 'the list') == str(tmp_path / 'train.csv')


class Shade(PoseExtractor):
    """x of all joints is the frame's brightness."""

    name, version, batch_size = 'shade', '1', 4

    def predict(self, items):
        values = np.ones((len(items), 133, 3))
        values[..., :2] = np.asarray([image.mean() for image in items])[:, None, None]
        values[:, 1, :2] += 5
        return values


def uneven_video(path):
    """25 frames 33 ms apart, then 25 frames 66 ms apart; each a little brighter."""
    av = pytest.importorskip('av', reason='PyAV is not installed')
    from fractions import Fraction

    os.makedirs(os.path.dirname(path), exist_ok=True)
    times = np.concatenate([np.arange(25) * 33, 825 + np.arange(25) * 66])
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(
                np.full((48, 64, 3), 20 + 4 * number, np.uint8), format='rgb24'
            )
            frame.pts, frame.time_base = int(time), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_seconds_are_those_of_the_frames_where_the_rate_is_uneven(tmp_path):
    uneven_video(tmp_path / 'v' / 'long.mp4')
    records = [
        ClipRecord(f'long_{start}', 0, 'train', 'long', start=start, end=start + 0.8) for start in (0.0, 1.6)
    ]
    made = convert(index(*records), str(tmp_path / 's'), videos=str(tmp_path / 'v'), extractor=Shade())
    whole = PoseStore(tmp_path / 's.poses')
    shades = whole.clip(0)[0][:, 0, 0]
    np.testing.assert_allclose(whole.frame_times(0)[[0, 24, 25, 49]], [0, 0.792, 0.825, 2.409], atol=1e-3)
    assert made.length.tolist() == [24, 12] and made.frame_times(0) is None  # even again
    np.testing.assert_array_equal(made.clip(0)[0][:, 0, 0], shades[:24])
    np.testing.assert_array_equal(made.clip(1)[0][:, 0, 0], shades[37:49])
    np.testing.assert_allclose(made.fps, [1 / 0.033, 1 / 0.066], rtol=1e-3)
    even = extract_folder(find_videos(tmp_path / 'v'), tmp_path / 'even', Shade(), progress=False, fps=25)
    assert even.frame_times(0) is None


def test_times_outlive_a_kill(tmp_path):
    """The parts of an extraction keep them."""
    uneven_video(tmp_path / 'v' / 'a.mp4')
    uneven_video(tmp_path / 'v' / 'b.mp4')

    class Killed(Shade):
        seen = 0

        def predict(self, items):
            self.seen += len(items)
            if self.seen > 60:
                raise KeyboardInterrupt
            return super().predict(items)

    videos = find_videos(tmp_path / 'v')
    with pytest.raises(KeyboardInterrupt):
        extract_folder(videos, tmp_path / 's', Killed(), progress=False)
    made = extract_folder(videos, tmp_path / 's', Shade(), progress=False)
    np.testing.assert_array_equal(made.frame_times(0), made.frame_times(1))
    assert len(made.frame_times(0)) == 50
