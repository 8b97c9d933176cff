"""What a folder holds, and what is left out, with the reason."""

import os

import pytest

from signbert_mm.files.folders import (
    VIDEO_SUFFIXES,
    LeftOut,
    describe_left_out,
    image_sequence,
    list_files,
    list_videos,
    report_left_out,
    walk,
    without_suffix,
)


def make(folder, *names):
    for name in names:
        path = os.path.join(os.fsencode(folder), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb'):
            pass
    return str(folder)


def reasons(listing, folder):
    return {os.path.relpath(item.path, folder): item.reason for item in listing.left_out}


def test_all_kinds_of_videos_are_taken_in_any_capitals(tmp_path):
    names = [f'a{suffix}' for suffix in sorted(VIDEO_SUFFIXES)] + ['B.MP4', 'deep/er/c.MtS']
    listing = list_videos(make(tmp_path / 'v', *names))
    assert (
        sorted(name for name, _ in listing.taken) == sorted(names)
        and not listing.left_out
        and not listing.unclear
    )
    assert {'.mts', '.gif', '.ogv', '.vob', '.swf', '.rmvb', '.qt'} <= VIDEO_SUFFIXES


def test_what_is_left_out_is_named_with_its_reason(tmp_path):
    folder = make(
        tmp_path / 'v',
        'a.mp4',
        'labels.csv',
        '.DS_Store',
        '.git/x.mp4',
        'part.mp4.part',
        b'caf\xe9.mp4',
        'cover.jpg',
    )
    os.symlink('nowhere.mp4', tmp_path / 'v' / 'broken.mp4')
    os.symlink('.', tmp_path / 'v' / 'round')
    os.symlink('itself.mp4', tmp_path / 'v' / 'itself.mp4')
    listing = list_videos(folder)
    assert [name for name, _ in listing.taken] == ['a.mp4']
    assert reasons(listing, folder) == {
        'labels.csv': 'neither a video nor an image, by its suffix',
        'part.mp4.part': 'neither a video nor an image, by its suffix',
        '.DS_Store': 'hidden: the name starts with a dot',
        '.git': 'hidden: the name starts with a dot',
        'caf\\xe9.mp4': 'the name is not UTF-8: rename it',
        'cover.jpg': 'an image beside a video',
        'broken.mp4': 'a broken link',
        'itself.mp4': 'a broken link',
        'round': 'a link to a folder around it',
    }
    lines = describe_left_out(listing.left_out, folder)
    assert (
        '2 files or folders are not taken, neither a video nor an image, by its suffix (.csv .part): '
        'labels.csv, part.mp4.part'
    ) in lines
    assert '1 file or folder is not taken, the name is not UTF-8: rename it: caf\\xe9.mp4' in lines
    report_left_out(listing.left_out, folder)  # names that are not UTF-8 can be printed


def test_links_are_followed_and_hidden_folders_are_not(tmp_path):
    make(tmp_path / 'far', 'a.mp4')
    folder = make(tmp_path / 'v', 'b.mp4', '.h/c.mp4')
    os.symlink(tmp_path / 'far', tmp_path / 'v' / 'near')
    assert [name for name, _ in list_videos(folder).taken] == ['b.mp4', 'near/a.mp4']
    assert [len(item.files) for item in walk(folder)] == [1, 1]
    with pytest.raises(FileNotFoundError, match='absent: no such folder'):
        list(walk(tmp_path / 'absent'))


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    folder = make(tmp_path / 'v', 'a.mp4', 'shut/b.mp4')
    scandir = os.scandir

    def refused(path):
        if os.path.basename(path) == 'shut':
            raise PermissionError(13, 'Permission denied')
        return scandir(path)

    monkeypatch.setattr(os, 'scandir', refused)
    assert reasons(list_videos(folder), folder) == {'shut': 'cannot be read (Permission denied)'}


def test_names_are_in_one_unicode_form(tmp_path):
    ((name, path),) = list_videos(make(tmp_path / 'v', 'cafe\u0301/a.mp4')).taken
    assert name == 'caf\u00e9/a.mp4' and os.path.isfile(path)


def test_files_by_suffix(tmp_path):
    listing = list_files(make(tmp_path, 'a.pose', 'b/c.POSE', 'd.npy'), ('.pose',), 'a .pose file')
    assert [name for name, _ in listing.taken] == ['a.pose', 'b/c.POSE']
    assert listing.left_out == [LeftOut(str(tmp_path / 'd.npy'), 'not a .pose file, by its suffix')]
    assert [without_suffix(name) for name in ('a.MTS', 'a.b', '4.7-A')] == ['a', 'a.b', '4.7-A']


def numbered(form, count=3, first=0):
    return [form.format(number) for number in range(first, first + count)]


@pytest.mark.parametrize(
    'names, left_out',
    [
        (numbered('{:04d}.jpg'), []),
        (numbered('frame_{}.png', 12), []),
        (numbered('{:04d}_rgb.jpg'), []),
        (numbered('frame ({}).png'), []),
        (numbered('S01_{:03d}_cam2.png'), []),
        (numbered('{:03d}.jpg') + numbered('{:03d}.png', first=3), []),
        (numbered('{:03d}.jpg') + numbered('{:03d}.JPEG', first=3), []),
        (numbered('{:03d}.jpg') + ['preview.jpg'], ['preview.jpg']),
        (numbered('{:03d}.jpg') + ['thumb1.jpg', 'z.png'], ['thumb1.jpg', 'z.png']),
    ],
)
def test_image_sequences(names, left_out):
    found = image_sequence(reversed([*names, 'labels.csv', '.hidden.jpg']))
    assert found.names == [name for name in names if name not in left_out] and not found.reason
    assert [item.path for item in found.left_out] == left_out and found.numbers == list(
        range(len(found.names))
    )


@pytest.mark.parametrize(
    'names, reason',
    [
        (['0001.jpg'], 'one image; a clip has two or more'),
        (['a.jpg', 'b.jpg'], '2 images, no two named alike but for one number: a.jpg, b.jpg'),
        (['a.jpg', 'a.png'], 'no two named alike'),
        (
            numbered('cam1_{}.jpg') + numbered('cam2_{}.jpg'),
            '2 sequences in one folder, cam1_0.jpg to cam1_2.jpg and cam2_0.jpg',
        ),
        (numbered('l{}.jpg') + numbered('r{}.jpg'), '2 sequences in one folder'),
        (['notes.txt'], 'no images'),
    ],
)
def test_images_of_no_sequence(names, reason):
    found = image_sequence(names)
    assert not found.names and reason in found.reason


def test_folders_of_images(tmp_path):
    folder = make(
        tmp_path / 'v',
        'hello/take/0.jpg',
        'hello/take/1.jpg',
        'hello/preview.jpg',
        'bye/two/l0.jpg',
        'bye/two/l1.jpg',
        'bye/two/r0.jpg',
        'bye/two/r1.jpg',
        'bye/one/1.jpg',
        'logo.png',
    )
    listing = list_videos(folder)
    assert [name for name, _ in listing.taken] == ['hello/take']
    assert [name for name, _ in listing.unclear] == ['bye/one', 'bye/two']
    assert set(reasons(listing, folder)) == {'hello/preview.jpg', 'logo.png'}


def test_each_part_of_a_name_is_cleaned(tmp_path):
    folder = make(tmp_path / 'v', 'cafe\u0301 /\ufeffa b /1.mp4', 'plain/2.mp4')
    assert [name for name, _ in list_videos(folder).taken] == ['caf\u00e9/a b/1.mp4', 'plain/2.mp4']
