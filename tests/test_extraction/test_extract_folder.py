import errno
import filecmp
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from fake_extractors import FakeExtractor
from made_videos import cut, make_sound, make_video, shades

from signbert_mm.datasets import PoseStore
from signbert_mm.datasets.frame_times import STARTS, first_frame_time
from signbert_mm.extraction import VideoError, extract_folder, find_videos
from signbert_mm.extraction import workers as workers_module
from signbert_mm.extraction.parts import (
    PartsError,
    PartWriter,
    Record,
    digest_of,
    read_poses,
    read_records,
    unfinished,
    was_replaced,
)
from signbert_mm.extraction.progress import Progress, clock

HERE = Path(__file__).resolve().parent
FAKE = dict(type='fake_extractors.FakeExtractor')
COUNTS = (12, 3, 7, 5, 9, 4)


@pytest.fixture
def videos(tmp_path):
    """Six videos in folders, of different lengths and sizes."""
    for index, count in enumerate(COUNTS):
        path = tmp_path / 'videos' / f'gloss{index % 2}' / f'{index}.mp4'
        path.parent.mkdir(parents=True, exist_ok=True)
        make_video(path, count, width=64 + 2 * index, rate=10 + index)
    return find_videos(tmp_path / 'videos')


def assert_same(one, other):
    """Every file of both stores, bit for bit."""
    names = sorted(os.listdir(one.folder))
    assert (
        names == sorted(os.listdir(other.folder))
        and filecmp.cmpfiles(one.folder, other.folder, names, shallow=False)[0] == names
    )


def test_a_folder_becomes_a_store(videos, tmp_path, capfd):
    store = extract_folder(videos, str(tmp_path / 'out'), FAKE)
    assert isinstance(store, PoseStore) and store.layout.name == 'coco_wholebody_133' and store.glosses == []
    assert list(store.video_id) == ['gloss0/0', 'gloss0/2', 'gloss0/4', 'gloss1/1', 'gloss1/3', 'gloss1/5']
    assert (
        store.length.tolist() == [12, 7, 9, 3, 5, 4]
        and store.width.tolist() == [64, 68, 72, 66, 70, 74]
        and set(store.height) == {48}
    )
    assert (
        store.fps.tolist() == [10, 12, 14, 11, 13, 15]
        and (store.label == -1).all()
        and set(store.split) == {'all'}
    )
    keypoints, scores = store.clip(1)
    np.testing.assert_allclose(keypoints[:, 0, 0], shades(7), atol=4)
    assert (
        keypoints[:, 0, 1].tolist() == [1, 2, 3, 4, 5, 6, 7]
        and (scores[:, 0] == 0.5).all()
        and (scores[:, 2:] == 0).all()
    )
    assert store.meta['extractor'] == 'fake' and store.meta['extractor_version'] == '1'
    store.verify()
    assert not (tmp_path / 'out.parts').exists() and not (tmp_path / 'out' / 'failed.txt').exists()
    assert '6/6 videos, 40 frames, ' in capfd.readouterr().err


def test_workers_and_ranks_do_not_change_the_store(videos, tmp_path, monkeypatch):
    one = extract_folder(videos, tmp_path / 'one', FAKE, progress=False)
    assert_same(
        one, extract_folder(list(reversed(videos)), tmp_path / 'two', FAKE, workers=2, progress=False)
    )
    for world, name in ((2, 'pair'), (8, 'many')):  # 8 ranks: two have nothing to do
        monkeypatch.setenv('WORLD_SIZE', str(world))
        stores = []
        for rank in reversed(range(world)):
            monkeypatch.setenv('RANK', str(rank))
            stores.append(extract_folder(videos, tmp_path / name, FAKE, progress=False, launcher='pytorch'))
        assert [store is None for store in stores] == [True] * (world - 1) + [False]
        assert_same(one, stores[-1])


DRIVER = """
import sys
sys.path.insert(0, {here!r})
from signbert_mm.extraction import extract_folder, find_videos
extract_folder(find_videos({videos!r}), {out!r}, dict(type='fake_extractors.FakeExtractor', wait=0.1),
    workers={workers}, progress=False)
"""


@pytest.mark.parametrize('workers, then', [(1, 2), (2, 1)])
def test_killed_in_the_middle_and_restarted_with_another_number_of_workers(videos, tmp_path, workers, then):
    clean = extract_folder(videos, tmp_path / 'clean', FAKE, progress=False)
    out = tmp_path / 'out'
    code = DRIVER.format(here=str(HERE), videos=str(tmp_path / 'videos'), out=str(out), workers=workers)
    process = subprocess.Popen([sys.executable, '-c', code])
    deadline = time.monotonic() + 300
    while len(read_records(f'{out}.parts')) < 2 and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(0.15)  # into the next video
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.3)  # workers notice that their parent is gone
    before = read_records(f'{out}.parts')
    assert (
        2 <= len(before) < len(videos)
        and not any(record.error for record in before.values())
        and not out.exists()
    )
    assert_same(clean, extract_folder(videos, out, FAKE, workers=then, progress=False))


def test_a_killed_rank_redoes_only_what_it_had_not_finished(videos, tmp_path, monkeypatch):
    clean = extract_folder(videos, tmp_path / 'clean', FAKE, progress=False)
    out = tmp_path / 'out'
    code = DRIVER.format(here=str(HERE), videos=str(tmp_path / 'videos'), out=str(out), workers=1).replace(
        'workers=1', "launcher='pytorch'"
    )
    process = subprocess.Popen([sys.executable, '-c', code], env=dict(os.environ, RANK='1', WORLD_SIZE='2'))
    deadline = time.monotonic() + 300
    while (
        not Path(f'{out}.parts').is_dir() or not read_records(f'{out}.parts')
    ) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    mine = [video_id for video_id, _ in videos[1::2]]
    assert sorted(read_records(f'{out}.parts')) == mine[:1]

    def run(rank, world):
        monkeypatch.setenv('RANK', str(rank))
        monkeypatch.setenv('WORLD_SIZE', str(world))
        extractor = FakeExtractor()
        extractor.predict = lambda items, predict=extractor.predict: frames.append(1) or predict(items)
        return extract_folder(videos, out, extractor, progress=False, launcher='pytorch')

    frames = []
    assert run(0, 2) is None and sorted(read_records(f'{out}.parts')) == sorted(
        mine[:1] + [video_id for video_id, _ in videos[::2]]
    )
    frames.clear()
    assert [run(2, 3), run(1, 3)] == [None, None]
    assert_same(clean, run(0, 3))
    assert len(frames) == sum(clean.length[1::2]) - clean.length[1]


def test_only_what_is_unfinished_is_done_again(videos, tmp_path):
    extractor = FakeExtractor()
    out = tmp_path / 'out'
    with pytest.raises(KeyboardInterrupt):
        extract_folder(videos, out, Interrupted(after=17), progress=False)
    assert sorted(read_records(f'{out}.parts')) == ['gloss0/0']
    frames = []
    extractor.predict = lambda items, predict=extractor.predict: frames.append(1) or predict(items)
    extract_folder(videos, out, extractor, progress=False)
    assert len(frames) == sum(COUNTS) - 12


class Interrupted(FakeExtractor):
    def __init__(self, after):
        super().__init__()
        self.left = after

    def predict(self, items):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().predict(items)


def test_a_video_that_was_replaced_meanwhile_is_done_again(videos, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        extract_folder(videos, tmp_path / 'out', Interrupted(after=14), progress=False)
    make_video(videos[0][1], 6)
    assert extract_folder(videos, tmp_path / 'out', FAKE, progress=False).length[0] == 6


def test_another_extractor_or_other_settings_are_refused(videos, tmp_path):
    out = tmp_path / 'out'
    with pytest.raises(KeyboardInterrupt):
        extract_folder(videos, out, Interrupted(after=14), progress=False)
    with pytest.raises(ValueError, match='begun with other settings .*flavour.*choose another OUT'):
        extract_folder(videos, out, dict(FAKE, flavour='sweet'), progress=False)
    with pytest.raises(ValueError, match='fps: None there, 5 now'):
        extract_folder(videos, out, FAKE, progress=False, fps=5)
    store = extract_folder(videos, out, FAKE, progress=False)
    assert_same(store, extract_folder(videos, out, FAKE, progress=False))  # nothing left to do
    with pytest.raises(FileExistsError, match="a store of other settings.*'sweet'.* now.*choose another OUT"):
        extract_folder(videos, out, dict(FAKE, flavour='sweet'), progress=False)
    with pytest.raises(FileExistsError, match="a store of other videos .'gloss0/4' is in one of the two"):
        extract_folder(videos[:2], out, FAKE, progress=False)
    (tmp_path / 'file').write_text('x')
    with pytest.raises(FileExistsError, match='not a whole PoseStore'):
        extract_folder(videos, tmp_path / 'file', FAKE, progress=False)
    # The folder of the parts is removed at the end.
    (tmp_path / 'new.parts').mkdir()
    (tmp_path / 'new.parts' / 'mine.txt').write_text('x')
    with pytest.raises(ValueError, match=r"new\.parts: holds 'mine\.txt', which is no part of a store"):
        extract_folder(videos, tmp_path / 'new', FAKE, progress=False)
    assert os.listdir(tmp_path / 'new.parts') == ['mine.txt']


def test_a_finished_store_is_of_the_same_files(videos, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    store = extract_folder([*videos, ('later', str(tmp_path / 'later.mp4'))], out, FAKE, progress=False)
    # Moved, with another time of change, or no longer there.
    moved = [
        (video_id, shutil.copy(path, tmp_path / f'{number}.mp4'))
        for number, (video_id, path) in enumerate(videos)
    ]
    os.remove(moved[1][1])
    absent = ('later', str(tmp_path / 'later.mp4'))
    assert_same(store, extract_folder([*moved, absent], out, FAKE, progress=False))
    # Another video under the name, and one that could not be read then.
    shutil.copy(moved[2][1], moved[0][1])
    with pytest.raises(FileExistsError, match=r'other files \(replaced since: 1, .*/0.mp4\).*anew'):
        extract_folder([*moved, absent], out, FAKE, progress=False)
    make_video(tmp_path / 'later.mp4', 2)
    with pytest.raises(FileExistsError, match=r'replaced since: 1, the first: .*later.mp4'):
        extract_folder([*videos, absent], out, FAKE, progress=False)
    # A store of an earlier version.
    meta = json.loads((out / 'meta.json').read_text())
    del meta['notes']['video_digests']
    (out / 'meta.json').write_text(json.dumps(meta))
    lines = []
    module = sys.modules[extract_folder.__module__]
    monkeypatch.setattr(module, 'print_log', lambda text, **_: lines.append(text))
    assert len(extract_folder([*videos, absent], out, FAKE, progress=False)) == 6
    assert 'of an earlier version' in lines[0]


def test_the_digest_of_a_video(tmp_path):
    path, images = tmp_path / 'a.mp4', tmp_path / 'images'
    images.mkdir()
    path.write_bytes(bytes(1 << 18))
    for name in ('1.png', '2.png', '3.png'):
        (images / name).write_bytes(name.encode())
    digests = digest_of(str(path)), digest_of(str(images))
    # What is no image does not count.
    for name in ('.hidden.png', 'notes.txt'):
        (images / name).touch()
    os.utime(path, ns=(1, 1))
    assert not was_replaced(str(path), digests[0]) and not was_replaced(str(images), digests[1])
    absent = str(tmp_path / 'absent')
    assert digest_of(absent) == '' and not was_replaced(absent, digests[0])
    path.write_bytes(bytes((1 << 18) - 1) + b'x')
    (images / '3.png').write_bytes(b'4.png')
    assert was_replaced(str(path), digests[0]) and was_replaced(str(images), digests[1])


def test_bad_files_are_listed_and_skipped(videos, tmp_path):
    folder = tmp_path / 'videos' / 'bad'
    folder.mkdir()
    (folder / 'empty.mp4').touch()
    (folder / 'text.mp4').write_text('no video\n' * 99)
    os.rename(make_sound(tmp_path / 's.m4a', 'aac'), folder / 'sound.mp4')
    cut(make_video(tmp_path / 'whole.mp4', 50, options=dict(movflags='faststart')), folder / 'truncated.mp4')
    make_video(folder / 'strange.mp4', 3, width=128)
    found = [*find_videos(tmp_path / 'videos'), ('bad/gone', str(folder / 'gone.mp4'))]
    store = extract_folder(found, tmp_path / 'out', dict(FAKE, bad=128), progress=False)
    assert list(store.video_id) == [video_id for video_id, _ in videos]
    rows = [line.split('\t') for line in (tmp_path / 'out' / 'failed.txt').read_text().splitlines()]
    assert [row[0] for row in rows] == [
        f'bad/{name}' for name in ('empty', 'gone', 'sound', 'strange', 'text', 'truncated')
    ]
    reasons = (
        'empty (0 bytes)',
        'no such file',
        'only audio',
        'ArithmeticError: this one I cannot',
        'not a video',
        'truncated: ',
    )
    assert all(reason in row[1] for reason, row in zip(reasons, rows))
    assert store.meta['notes']['failed'] == [row[0] for row in rows]
    kept = extract_folder(found, tmp_path / 'kept', dict(FAKE, bad=128), progress=False, truncated='keep')
    assert 'bad/truncated' in list(kept.video_id) and len(kept) == 7
    assert_same(store, extract_folder(found, tmp_path / 'out', dict(FAKE, bad=128), progress=False))


def test_nothing_but_bad_files(tmp_path):
    (tmp_path / 'a.mp4').touch()
    with pytest.raises(
        ValueError,
        match=r'none of the 1 videos could be read.*failed.txt, the first: '
        r'.*a.mp4: empty',
    ):
        extract_folder(find_videos(tmp_path), tmp_path / 'out', FAKE, progress=False)
    assert not (tmp_path / 'out').exists() and (tmp_path / 'out.parts' / 'failed.txt').read_text().startswith(
        'a\t'
    )


def test_a_video_that_kills_its_process_fails_alone(videos, tmp_path):
    store = extract_folder(videos[:3], tmp_path / 'out', dict(FAKE, deadly=68), workers=2, progress=False)
    assert list(store.video_id) == ['gloss0/0', 'gloss0/4']
    assert (
        'the process that read it was killed by signal 9 (SIGKILL), twice'
        in (tmp_path / 'out' / 'failed.txt').read_text()
    )


def test_a_worker_that_cannot_start_ends_the_run(videos, tmp_path):
    with pytest.raises(RuntimeError, match='a worker could not start: OSError: no device'):
        extract_folder(
            videos,
            tmp_path / 'out',
            dict(type='fake_extractors.OnlyInTheParent', parent=os.getpid()),
            workers=2,
            progress=False,
        )


def test_resampling_and_facts_are_in_the_store(videos, tmp_path):
    store = extract_folder(
        videos[:1], tmp_path / 'out', FAKE, progress=False, fps=5, source='made up', licence='CC0'
    )
    assert store.length.tolist() == [6] and store.fps.tolist() == [5]
    assert store.meta['source'] == 'made up' and store.meta['licence'] == 'CC0'
    assert (
        store.meta['notes']['extraction']['fps'] == 5
        and store.meta['notes']['extraction']['fingerprint'] == FakeExtractor().fingerprint
    )


def test_arguments_are_checked(videos, tmp_path, monkeypatch):
    for match, arguments in {
        'no videos were given': dict(videos=[]),
        'workers is 0': dict(workers=0),
        'give its name or a dict': dict(workers=2, extractor=FakeExtractor()),
        "launcher is 'mpi'": dict(launcher='mpi'),
        'both would be video_id': dict(videos=[*videos, videos[0]]),
    }.items():
        with pytest.raises(ValueError, match=match):
            extract_folder(
                **dict(dict(videos=videos, out=tmp_path / 'out', extractor=FAKE, progress=False), **arguments)
            )
    monkeypatch.delenv('SLURM_PROCID', raising=False)
    with pytest.raises(RuntimeError, match='SLURM_PROCID.*srun'):
        extract_folder(videos, tmp_path / 'out', FAKE, launcher='slurm')


def test_a_part_survives_a_torn_end_and_notices_damage(tmp_path):
    pose = np.arange(133 * 3, dtype=np.float32).reshape(133, 3)
    writer = PartWriter(str(tmp_path))
    for video_id, count in (('a', 2), ('b', 3)):
        writer.begin()
        for index in range(count):
            writer.add(pose + index)
        writer.finish(Record(video_id, (1, 1), width=4, height=3))
    writer.begin()
    writer.add(pose)  # and then it is killed
    writer.close()
    index = tmp_path / f'{writer.name}.jsonl'
    with open(index, 'a', encoding='utf-8') as file:
        file.write(json.dumps(dict(video_id='c'))[:9])
    records = read_records(str(tmp_path))
    assert sorted(records) == ['a', 'b']
    np.testing.assert_array_equal(
        np.concatenate(list(read_poses(str(tmp_path), records['b']))), np.stack([pose, pose + 1, pose + 2])
    )
    data = tmp_path / f'{writer.name}.bin'
    torn = bytearray(data.read_bytes())
    torn[5] ^= 1
    data.write_bytes(torn[: 3 * pose.nbytes])
    assert sorted(read_records(str(tmp_path))) == ['a']  # b's poses are not all there
    with pytest.raises(ValueError, match="the poses of 'a' are damaged; remove this part file"):
        list(read_poses(str(tmp_path), records['a']))


def index_of(parts):
    (path,) = Path(parts).glob('part-*.jsonl')
    return path


@pytest.fixture
def half_done(videos, tmp_path, monkeypatch):
    """Parts with every video but the last finished."""
    out = tmp_path / 'out'
    real = workers_module.extract_video

    def stop_at_the_last(video_id, *arguments):
        if video_id == videos[-1][0]:
            raise KeyboardInterrupt
        return real(video_id, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(workers_module, 'extract_video', stop_at_the_last)
        with pytest.raises(KeyboardInterrupt):
            extract_folder(videos, out, FAKE, progress=False)
    return out


def test_parts_of_an_earlier_version_say_no_starts(half_done, videos):
    path = index_of(f'{half_done}.parts')
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert {row['start'] for row in rows} == {0.0}
    for row in rows:
        del row['start'], row['check']
        row['check'] = zlib.crc32(json.dumps(row).encode())
    path.write_text(''.join(f'{json.dumps(row)}\n' for row in rows))
    # Nothing is done again, and what is not known is left out.
    assert not unfinished(videos[:-1], read_records(f'{half_done}.parts', videos))
    store = extract_folder(videos, half_done, FAKE, progress=False)
    assert store.meta['notes'][STARTS] == {videos[-1][0]: 0.0}
    assert first_frame_time(store.meta, videos[0][0]) is None
    for wrong in (-1, 'x', True, float('inf')):
        assert first_frame_time(dict(notes={STARTS: dict(a=wrong)}), 'a') is None


@pytest.mark.parametrize('start', [-1.0, 'x', float('nan')])
def test_a_start_outside_its_range_is_damage(half_done, videos, start):
    path = index_of(f'{half_done}.parts')
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]['start'] = start
    for row in rows:
        del row['check']
    path.write_text(''.join(f'{json.dumps(row)}\n' for row in rows))
    assert rows[0]['video_id'] not in read_records(f'{half_done}.parts', videos)


def test_a_video_that_an_older_one_replaced_is_done_again(half_done, videos):
    video_id, path = videos[0]
    make_video(path, 8, width=64)
    os.utime(path, ns=(1, 1))
    store = extract_folder(videos, half_done, FAKE, progress=False)
    assert store.length[list(store.video_id).index(video_id)] == 8
    store.verify()


@pytest.mark.parametrize(
    'damage',
    [
        lambda line: b'',
        lambda line: line[:20],
        lambda line: line.replace(b'{', b'['),
        lambda line: b'null',
        lambda line: b'[' * 100000,
        lambda line: b'\xff\xfe' + line,
        lambda line: line.replace(b'"fps": 1', b'"fps": 2'),
        lambda line: line.replace(b'"frames": ', b'"frames": 1'),
        lambda line: line.replace(b'"offset": ', b'"offset": -1'),
        lambda line: line.replace(b'"part": "part', b'"part": "../part'),
        lambda line: line.replace(b'"stamp": [', b'"stamp": [1, '),
        lambda line: line.replace(b'"width": ', b'"width": "x", "w": '),
        lambda line: line.replace(b'"video_id"', b'"other_id"'),
    ],
)
@pytest.mark.parametrize('checked', [True, False])
def test_a_damaged_line_costs_its_video_alone(half_done, videos, damage, checked):
    index = index_of(f'{half_done}.parts')
    lines = index.read_bytes().splitlines()
    if not checked:  # as earlier versions wrote them; another number in the place of one is not seen then
        lines = [
            json.dumps({k: v for k, v in json.loads(line).items() if k != 'check'}).encode() for line in lines
        ]
        if b'"fps": 2' in damage(lines[1]) or b'"frames": 1' in damage(lines[1]):
            return
    changed = damage(lines[1])
    assert changed != lines[1]
    index.write_bytes(b'\n'.join([lines[0], changed, *lines[2:], b'']))
    assert len(read_records(f'{half_done}.parts')) == len(lines) - 1
    store = extract_folder(videos, half_done, FAKE, progress=False)
    assert len(store) == len(videos)
    store.verify()


def test_damaged_settings_of_parts(half_done, videos):
    Path(f'{half_done}.parts', 'extraction.json').write_bytes(b'{"a": ')
    with pytest.raises(ValueError, match=r'extraction.json: damaged.*remove .*out\.parts to begin anew'):
        extract_folder(videos, half_done, FAKE, progress=False)


class FullDisk:
    """A file whose writes fail after a number of bytes."""

    def __init__(self, file, left):
        self._file, self._left = file, left

    def write(self, data):
        self._left -= len(data)
        if self._left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._file.write(data)

    def __getattr__(self, name):
        return getattr(self._file, name)


@pytest.mark.parametrize('which, left', [('_data', 20000), ('_index', 400)])
def test_a_full_disk_is_not_blamed_on_the_video(videos, tmp_path, monkeypatch, which, left):
    real = PartWriter.__init__

    def full(self, folder):
        real(self, folder)
        setattr(self, which, FullDisk(getattr(self, which), left))

    with monkeypatch.context() as patch:
        patch.setattr(PartWriter, '__init__', full)
        with pytest.raises(PartsError, match='poses cannot be written .No space left.*run it again'):
            extract_folder(videos, tmp_path / 'out', FAKE, progress=False)
    assert not any(record.error for record in read_records(f'{tmp_path}/out.parts').values())
    store = extract_folder(videos, tmp_path / 'out', FAKE, progress=False)
    assert len(store) == len(videos)
    assert store.meta['notes']['failed'] == []


def test_no_more_open_files_is_not_blamed_on_the_video(videos, tmp_path, monkeypatch):
    def none_left(*_, **__):
        try:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        except OSError as error:
            raise VideoError('not a video that FFmpeg reads') from error

    with monkeypatch.context() as patch:
        patch.setattr(workers_module, 'open_video', none_left)
        with pytest.raises(OSError, match=r'0\.mp4: cannot be read now .Too many open files.*run it again'):
            extract_folder(videos, tmp_path / 'out', FAKE, progress=False)
    assert read_records(f'{tmp_path}/out.parts') == {}


def test_a_worker_that_cannot_write_ends_the_run(videos, tmp_path):
    extractor = dict(type='fake_extractors.OnAFullDisk')
    with pytest.raises(OSError, match='poses cannot be written .*run it again'):
        extract_folder(videos, tmp_path / 'out', extractor, workers=2, progress=False)
    assert not any(record.error for record in read_records(f'{tmp_path}/out.parts').values())


def test_videos_that_change_while_they_are_read(videos, tmp_path, monkeypatch):
    real = workers_module.extract_video

    def touch_after(video_id, path, *arguments):
        record = real(video_id, path, *arguments)
        os.utime(path, ns=(1, 1))
        return record

    monkeypatch.setattr(workers_module, 'extract_video', touch_after)
    with pytest.raises(
        RuntimeError, match='6 videos were changed while they were read, the first: .*0.mp4; run it again'
    ):
        extract_folder(videos, tmp_path / 'out', FAKE, progress=False)


def test_the_progress_line(monkeypatch, capfd):
    now = [100.0]
    monkeypatch.setattr('time.monotonic', lambda: now[0])
    progress = Progress(4, 1000)
    progress.add_frames(50)
    now[0] += 10
    progress.add_video(250)
    assert progress.line() == '1/4 videos, 50 frames, 5.0 frames/s, 0:00:10 passed, 0:00:30 to go'
    progress.add_video(250, 'broken')
    assert progress.line().startswith('2/4 videos, 1 failed, ') and clock(3 * 3600 + 61) == '3:01:01'
    assert capfd.readouterr().err == ''  # in a log a line a minute


def test_the_tool(videos, tmp_path, monkeypatch, capsys):
    import runpy

    tool = str(HERE.parents[1] / 'tools' / 'extract_poses.py')
    arguments = [
        str(tmp_path / 'videos'),
        str(tmp_path / 'out'),
        '--extractor',
        'fake_extractors.FakeExtractor',
        '--extractor-options',
        'flavour=sour',
    ]
    monkeypatch.setattr(sys, 'argv', [tool, *arguments])
    runpy.run_path(tool, run_name='__main__')
    assert '6 clips, 40 frames, coco_wholebody_133' in capsys.readouterr().out
    assert PoseStore(tmp_path / 'out').meta['notes']['extraction']['settings'] == dict(flavour='sour')
    monkeypatch.setattr(sys, 'argv', [tool, str(tmp_path / 'absent'), str(tmp_path / 'out2')])
    with pytest.raises(SystemExit, match='absent: no such file or folder'):
        runpy.run_path(tool, run_name='__main__')


def test_an_output_folder_that_cannot_be_made(tmp_path):
    (tmp_path / 'file').touch()
    (tmp_path / 'a.mp4').touch()
    with pytest.raises(
        NotADirectoryError, match='out.parts: cannot be made .*; choose another OUT, where you may write'
    ):
        extract_folder([('a', str(tmp_path / 'a.mp4'))], tmp_path / 'file' / 'out', FAKE, progress=False)
