"""Annotations of ELAN as clips of videos."""

import json
import os
import shutil

import numpy as np
import pytest
from grey_videos import make_late_video
from source_fixtures import Brightness, poses, write_poses, write_video

from signbert_mm.datasets import PoseStore
from signbert_mm.datasets.frame_times import first_frame_time
from signbert_mm.extraction import extract_folder
from signbert_mm.files.eaf_writer import write_eaf
from signbert_mm.prepare.sources import ClipRecord, convert, elan
from signbert_mm.prepare.sources.cutting import cut_clip
from signbert_mm.prepare.sources.elan import eaf_index
from signbert_mm.prepare.sources.poses import VideoPose
from signbert_mm.prepare.sources.splits import Splits

TIERS = {
    'Ana': [(0.2, 0.6, 'HOUSE', 0.9), (0.6, 1.0, 'cafe\u0301 \n  noir', 0.5), (1.2, 1.28, '', 0.1)],
    'Bo': [(0.4, 0.8, 'HOUSE', None)],
}


def change(path, *pairs):
    text = path.read_text(encoding='utf-8')
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding='utf-8')


def records(clips):
    return [(item.video_id, item.signer, item.start, item.end) for item in clips.index.records]


def test_a_tier_cuts_clips_out_of_a_video(tmp_path):
    write_video(tmp_path / 'r' / 'deep' / 'talk.mp4', 40)
    write_eaf(tmp_path / 'r' / 'deep' / 'a.eaf', tmp_path / 'r' / 'deep' / 'talk.mp4', TIERS)
    clips = eaf_index(str(tmp_path / 'r'), ['Ana', 'B?'], Splits(test_signers=['Bo']), source='home')
    assert clips.index.glosses == ['HOUSE', 'caf\u00e9 noir'] and clips.index.source == 'home'
    assert records(clips) == [
        ('deep/talk/Ana_200-600', 'Ana', 0.2, 0.6),
        ('deep/talk/Ana_600-1000', 'Ana', 0.6, 1.0),
        ('deep/talk/Bo_400-800', 'Bo', 0.4, 0.8),
    ]
    (line,) = clips.skipped
    assert line.endswith("a.eaf: tier 'Ana': 1 without a gloss, the first: a3")
    extractor = Brightness()
    store = convert(clips.index, str(tmp_path / 's'), videos=clips.videos, extractor=extractor)
    # The video is read once, however many clips it has.
    assert extractor.seen == 40
    assert store.length.tolist() == [10, 10, 10] and store.split.tolist() == ['train', 'train', 'test']
    assert store.label.tolist() == [0, 1, 0] and store.signer.tolist() == ['Ana', 'Ana', 'Bo']
    whole = PoseStore(tmp_path / 's.poses').clip(0)[0]
    for number, first in enumerate((5, 15, 10)):
        np.testing.assert_array_equal(store.clip(number)[0], whole[first : first + 10])


def test_times_of_a_shifted_video(tmp_path):
    write_poses(tmp_path / 'poses', {'talk': 40})
    write_eaf(tmp_path / 'a.eaf', 'talk.mp4', TIERS)
    change(tmp_path / 'a.eaf', ('MIME_TYPE', 'TIME_ORIGIN="-400" MIME_TYPE'))
    clips = eaf_index(str(tmp_path / 'a.eaf'), ['Ana', 'Bo'])
    assert clips.videos == {}
    store = convert(clips.index, str(tmp_path / 's'), str(tmp_path / 'poses'))
    # The first annotation begins before the video.
    assert store.video_id.tolist() == ['talk/Ana_200-600', 'talk/Ana_600-1000', 'talk/Bo_400-800']
    assert [store.clip(number)[0][0, 0, 0] - 10 for number in range(3)] == [0, 5, 0]
    assert store.length.tolist() == [5, 10, 10]


def late_recording(folder, *annotations, name='talk.mp4'):
    """40 frames, 10 a second, shown from 2 s on, and a tier of these annotations."""
    make_late_video(folder / name, [20 + 5 * number for number in range(40)], 2.0)
    write_eaf(folder / 'a.eaf', folder / name, {'Ana': [(*span, 'X', None) for span in annotations]})
    return str(folder)


def test_a_video_that_begins_late(tmp_path):
    root = late_recording(tmp_path / 'r', (0.5, 1.5), (1.6, 2.4), (2.5, 3.5), (5.5, 6.0))
    clips = eaf_index(root, ['Ana'])
    store = convert(clips.index, str(tmp_path / 's'), videos=clips.videos, extractor=Brightness())
    assert store.video_id.tolist() == ['talk/Ana_1600-2400', 'talk/Ana_2500-3500', 'talk/Ana_5500-6000']
    whole = PoseStore(tmp_path / 's.poses').clip(0)[0]
    for number, (first, end) in enumerate(((0, 4), (5, 15), (35, 40))):
        np.testing.assert_array_equal(store.clip(number)[0], whole[first:end])
    assert 'talk/Ana_500-1500\tX\tit ends at 1.5 s, and the first frame of its video is shown at 2 s' in (
        (tmp_path / 's' / 'missing.txt').read_text()
    )
    assert 'talk/Ana_1600-2400\tX\t4 of 8 annotated frames are there' in (
        (tmp_path / 's' / 'doubtful.txt').read_text()
    )


def test_poses_of_a_video_that_begins_late(tmp_path):
    root = late_recording(tmp_path / 'r', (2.5, 3.5))
    clips = eaf_index(root, ['Ana'])

    def cut(out, poses, **options):
        made = convert(clips.index, str(tmp_path / out), str(tmp_path / poses), **options)
        return made.clip(0)[0]

    videos = dict(videos=clips.videos)
    store = extract_folder(list(clips.videos.items()), tmp_path / 'poses', Brightness())
    right = store.clip(0)[0][5:15]
    assert first_frame_time(store.meta, 'talk') == 2.0
    np.testing.assert_array_equal(cut('a', 'poses'), right)
    # A store of an earlier version, or poses of others, do not say it: the video does.
    meta = json.loads((tmp_path / 'poses' / 'meta.json').read_text())
    del meta['notes']['video_starts']
    (tmp_path / 'poses' / 'meta.json').write_text(json.dumps(meta))
    np.testing.assert_array_equal(cut('b', 'poses', **videos), right)
    write_poses(tmp_path / 'npz', {'talk': 40}, fps=10.0)
    assert cut('c', 'npz', **videos)[:, 0, 0].tolist() == list(range(15, 25))
    # Without both, seconds count from the first frame.
    assert cut('d', 'npz')[:, 0, 0].tolist() == list(range(35, 45))
    (tmp_path / 'r' / 'talk.mp4').write_text('damaged')
    assert cut('e', 'npz', **videos)[:, 0, 0].tolist() == list(range(35, 45))
    assert 'whether its video begins late is not known' in (tmp_path / 'e' / 'doubtful.txt').read_text()


def test_an_uneven_video_that_begins_late(tmp_path):
    pose = VideoPose(poses(4), 320, 240, 2.0, np.asarray([0, 0.1, 1.1, 1.5]), 2.0)
    record = ClipRecord('a', 0, 'train', 'v', start=2.1, end=3.5, media_time=True)
    cut, remark = cut_clip(record, pose, 2.0)
    assert cut.keypoints[:, 0, 0].tolist() == [11, 12] and not remark
    np.testing.assert_allclose(cut.times, [0, 1])
    # Seconds of other annotations count from the first frame.
    cut, _ = cut_clip(ClipRecord('a', 0, 'train', 'v', start=0.1, end=1.5), pose)
    assert cut.keypoints[:, 0, 0].tolist() == [11, 12]


def test_a_video_of_another_computer(tmp_path):
    here = tmp_path / 'here'
    write_video(here / 'talk.mp4', 3)
    (here / 'deep').mkdir()
    path = here / 'deep' / 'a.eaf'
    write_eaf(path, '/elsewhere/talk.mp4', TIERS)
    # Below the folder of the files.
    assert eaf_index(str(here), ['Ana']).videos == {'talk': str(here / 'talk.mp4')}
    # By the path from the file, also with the slashes and the drive of Windows.
    relative = os.path.relpath('/elsewhere/talk.mp4', path.parent).replace(os.sep, '/')
    change(path, (f'./{relative}', '../talk.mp4'), ('file:///elsewhere', 'file:///C:/elsewhere'))
    assert list(eaf_index(str(path), ['Ana']).videos.values()) == [str(here / 'talk.mp4')]
    change(path, ('RELATIVE_MEDIA_URL="../talk.mp4"', ''), ('C:/elsewhere/', 'C:\\elsewhere\\'))
    assert eaf_index(str(path), ['Ana']).videos == {}
    assert list(eaf_index(str(path), ['Ana'], videos=str(here)).videos.values()) == [str(here / 'talk.mp4')]
    (here / 'deep' / 'talk.mp4').write_bytes((here / 'talk.mp4').read_bytes())
    assert eaf_index(str(here), ['Ana']).videos == {'deep/talk': str(here / 'deep' / 'talk.mp4')}


@pytest.mark.parametrize(
    'url, relative, file',
    [
        # ELAN writes names as they are, others with %20.
        ('file:///D:/v/take #2.mp4', '', 'take #2.mp4'),
        ('file:///D:/v/who?.mp4', './who?.mp4', 'who?.mp4'),
        ('file:///D:/v/50%20x.mp4', './50%20x.mp4', '50%20x.mp4'),
        ('file:///D:/v/50%20x.mp4', './50%20x.mp4', '50 x.mp4'),
        ('file:///D:/v/100% x.mp4', '', '100% x.mp4'),
        ('file://server/share/v/a.mp4', '', 'v/a.mp4'),
        # Windows does not tell capitals.
        ('file:///D:/v/TALK.MP4', './TALK.MP4', 'talk.mp4'),
        ('file:///Users/x/Gru\u0308n.mp4', '', 'Gr\u00fcn.mp4'),
    ],
)
def test_names_as_elan_and_others_write_them(tmp_path, url, relative, file):
    write_video(tmp_path / file, 3)
    write_video(tmp_path / 'take #1.mp4', 3)
    write_eaf(tmp_path / 'a.eaf', tmp_path / 'x.mp4', TIERS)
    written = f'MEDIA_URL="{(tmp_path / "x.mp4").as_uri()}"'
    change(tmp_path / 'a.eaf', (written, f'MEDIA_URL="{url}"'), ('"./x.mp4"', f'"{relative}"'))
    clips = eaf_index(str(tmp_path / 'a.eaf'), ['Ana'])
    assert clips.videos == {file[:-4]: str(tmp_path / file)} and not clips.absent


def test_an_absolute_link_alone(tmp_path):
    for number in (1, 2):
        write_video(tmp_path / 'v' / f'take #{number}.mp4', 3)
        write_eaf(tmp_path / 'r' / f'{number}.eaf', tmp_path / 'x.mp4', {'Ana': TIERS['Ana'][:number]})
        url = f'file://{tmp_path}/v/take #{number}.mp4'
        change(tmp_path / 'r' / f'{number}.eaf', ((tmp_path / 'x.mp4').as_uri(), url), ('"./../x.mp4"', '""'))
    clips = eaf_index(str(tmp_path / 'r'), ['Ana'])
    assert clips.videos == {f'take #{n}': str(tmp_path / 'v' / f'take #{n}.mp4') for n in (1, 2)}


def test_absent_videos_are_named(tmp_path, run_converter, capsys):
    write_eaf(tmp_path / 'a.eaf', tmp_path / 'talk.mpg', TIERS)
    options = (tmp_path / 's', '--tier', 'Ana')
    with pytest.raises(SystemExit, match='1 linked videos are not there, the first: talk.mpg: .*a.eaf; name'):
        run_converter('eaf_to_store.py', tmp_path, *options)
    write_video(tmp_path / 'talk.mp4', 3)
    with pytest.raises(SystemExit, match=r'a.eaf \(talk.mp4 is there: link it in ELAN if it is the same'):
        run_converter('eaf_to_store.py', tmp_path, *options)
    write_eaf(tmp_path / 'a.eaf', None, TIERS)
    assert eaf_index(str(tmp_path), ['Ana']).absent == [f'no video is linked: {tmp_path / "a.eaf"}']


def sessions(folder, *names, frames=3):
    for name in names:
        write_video(folder / name / 'video.mp4', frames)
        write_eaf(folder / name / 'a.eaf', folder / name / 'video.mp4', TIERS)
    return folder


def test_an_absent_video_is_not_that_of_another_session(tmp_path, monkeypatch):
    lines = []
    monkeypatch.setattr(elan, 'print_log', lambda text, **_: lines.append(text))
    root = sessions(tmp_path / 'r', 's1', 's2', 's3')
    os.remove(root / 's2' / 'video.mp4')
    clips = eaf_index(str(root), ['Bo'])
    assert {record.video for record in clips.index.records} == {'s1/video', 's2/video', 's3/video'}
    assert clips.videos == {f's{n}/video': str(root / f's{n}' / 'video.mp4') for n in (1, 3)}
    (line,) = lines
    assert 'r: 1 videos are not where' in line and 'not taken, ' in line and 's1/video.mp4 for ' in line
    # Poses that were extracted before.
    write_poses(tmp_path / 'poses', {'s1/video': 40})
    shutil.rmtree(root / 's3')
    os.remove(root / 's1' / 'video.mp4')
    store = convert(eaf_index(str(root), ['Bo']).index, str(tmp_path / 's'), str(tmp_path / 'poses'))
    assert store.video_id.tolist() == ['s1/video/Bo_400-800']
    assert 's2/video/Bo_400-800\tHOUSE\tno poses' in (tmp_path / 's' / 'missing.txt').read_text()
    # A video by its file name alone is named.
    shutil.rmtree(root / 's1')
    write_video(root / 'other' / 'video.mp4', 3)
    assert list(eaf_index(str(root), ['Bo']).videos) == ['other/video']
    assert 'taken by their file name alone, the first: ' in lines[-1]


def test_sessions_that_were_moved(tmp_path):
    old = sessions(tmp_path / 'old', 's1', 's2', 's3')
    annotations, videos = tmp_path / 'annotations', tmp_path / 'videos'
    for name in ('s1', 's2', 's3'):
        shutil.copytree(old / name, videos / name, ignore=shutil.ignore_patterns('*.eaf'))
        annotations.mkdir(exist_ok=True)
        os.replace(old / name / 'a.eaf', annotations / f'{name}.eaf')
    shutil.rmtree(old)
    os.remove(videos / 's2' / 'video.mp4')
    # By the end of the path in the file. The second fits both, each less than its own.
    clips = eaf_index(str(annotations), ['Bo'], videos=str(videos))
    assert clips.videos == {f's{n}/video': str(videos / f's{n}' / 'video.mp4') for n in (1, 3)}
    assert {record.video for record in clips.index.records} == {'s1/video', 'video', 's3/video'}
    # Beside the file of one of them, which does not say of whom it is.
    shutil.copy(videos / 's1' / 'video.mp4', annotations / 'video.mp4')
    shutil.rmtree(videos)
    for name in ('s1', 's2', 's3'):
        change(annotations / f'{name}.eaf', (' RELATIVE_MEDIA_URL="./video.mp4"', ''))
    with pytest.raises(ValueError, match="both be called 'video'"):
        eaf_index(str(annotations), ['Bo'])


def test_one_of_several_cameras(tmp_path):
    for name in ('a_side.mp4', 'a_front.mp4'):
        write_video(tmp_path / name, 3)
    write_eaf(
        tmp_path / 'a.eaf', [tmp_path / 'a.wav', tmp_path / 'a_side.mp4', tmp_path / 'a_front.mp4'], TIERS
    )
    assert list(eaf_index(str(tmp_path), ['Ana']).videos) == ['a_side']
    assert list(eaf_index(str(tmp_path), ['Ana'], media='*_front.*').videos) == ['a_front']
    with pytest.raises(ValueError, match="no linked video is called '\\*.avi'; linked: a.wav, a_side.mp4"):
        eaf_index(str(tmp_path), ['Ana'], media='*.avi')


def test_what_is_skipped_is_named(tmp_path):
    write_eaf(tmp_path / 'a.eaf', None, {'Gloss': [(0, 1, 'A', None), (1, 2, 'B' * 300, None)]})
    change(tmp_path / 'a.eaf', (' TIME_VALUE="2000"', ''))
    write_eaf(tmp_path / 'b.eaf', None, {'Other': [(0, 1, 'A', None)]})
    clips = eaf_index(str(tmp_path), ['Gloss'])
    assert [item.video_id for item in clips.index.records] == ['a/Gloss_0-1000']
    assert [line.rsplit('/', 1)[1] for line in clips.skipped] == [
        "a.eaf: tier 'Gloss': a2: no place in time",
        'b.eaf: no tier Gloss',
    ]
    change(tmp_path / 'a.eaf', ('TIME_SLOT_ID="ts4"', 'TIME_SLOT_ID="ts4" TIME_VALUE="2000"'))
    assert 'a2 (BBBB' in eaf_index(str(tmp_path), ['Gloss']).skipped[0]


def test_what_is_wrong(tmp_path):
    with pytest.raises(FileNotFoundError, match='no such file or folder'):
        eaf_index(str(tmp_path / 'x'), ['Ana'])
    with pytest.raises(FileNotFoundError, match='no .eaf files'):
        eaf_index(str(tmp_path), ['Ana'])
    write_eaf(tmp_path / 'a.eaf', 'talk.mp4', TIERS)
    with pytest.raises(
        ValueError, match=r"no annotation on a tier 'Gloss'; tiers and their annotations: 'Ana' \(3\)"
    ):
        eaf_index(str(tmp_path), ['Gloss'])
    with pytest.raises(ValueError, match='no video is of signer Cem; tiers are of Ana, Bo'):
        eaf_index(str(tmp_path), ['*'], Splits(test_signers=['Cem']), media='*')
    write_eaf(tmp_path / 'b.eaf', 'talk.mp4', TIERS)
    with pytest.raises(ValueError, match="'talk/Ana_200-600' is listed twice: .*a.eaf.* and .*b.eaf"):
        eaf_index(str(tmp_path), ['Ana'])
    for name in ('x', 'y'):
        write_video(tmp_path / name / 'talk.mp4', 3)
        write_eaf(tmp_path / f'{name}.eaf', tmp_path / name / 'talk.mp4', TIERS)
    os.replace(tmp_path / 'x.eaf', tmp_path / 'x' / 'a.eaf')
    with pytest.raises(ValueError, match="would both be called 'talk'"):
        (tmp_path / 'z').mkdir()
        for name in ('x', 'y'):
            write_eaf(tmp_path / 'z' / f'{name}.eaf', tmp_path / name / 'talk.mp4', TIERS)
        eaf_index(str(tmp_path / 'z'), ['Ana'])


def test_the_tool(tmp_path, run_converter, capsys):
    write_poses(tmp_path / 'poses', {'talk': 40})
    write_eaf(tmp_path / 'r' / 'a.eaf', 'talk.mp4', TIERS)
    options = ['--poses', tmp_path / 'poses', '--poses-extractor', 'x 1']
    run_converter('eaf_to_store.py', tmp_path / 'r', tmp_path / 's', '--tier', 'Ana', 'Bo', *options)
    store = PoseStore(tmp_path / 's')
    assert store.glosses == ['HOUSE', 'caf\u00e9 noir'] and len(store) == 3
    assert store.meta['notes']['tiers'] == ['Ana', 'Bo']
    said = capsys.readouterr().out
    assert 'skipped: ' in said and 'without a gloss' in said
    # A clip behind the video's end is missing, and is named.
    write_eaf(tmp_path / 'r' / 'a.eaf', 'talk.mp4', {'Ana': [*TIERS['Ana'], (8, 9, 'LATE', None)]})
    run_converter('eaf_to_store.py', tmp_path / 'r', tmp_path / 't', '--tier', 'Ana', *options)
    assert 'talk/Ana_8000-9000\tLATE\tthe video has 40 frames' in (tmp_path / 't' / 'missing.txt').read_text()
