"""Which names are signers, and what a CSV may hold."""

import pytest

from signbert_mm.teaching import read_videos
from signbert_mm.teaching.videos import known_signers


@pytest.mark.parametrize(
    'glosses, signers, known',
    [
        ('aabb', 'xyxy', True),
        # The sign, or a camera's IMG: not every sign has two.
        ('aabb', 'aabb', False),
        ('aabb', 'IIII', False),
        ('aab', ['x', 'y', ''], False),
        ('aabbcc', 'xyxyxx', True),
    ],
)
def test_known_signers(glosses, signers, known):
    assert known_signers(glosses, signers) is known


def files(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def test_a_folder(tmp_path):
    files(tmp_path, 'hello/anna_1.mp4', 'hello/ben_1.MOV', 'tea/anna_1.mp4', 'tea/ben_1.mp4', 'tea/ben_1.mov')
    videos, problems = read_videos(tmp_path)
    assert [video.video_id for video in videos] == [
        'hello/anna_1',
        'hello/ben_1',
        'tea/anna_1',
        'tea/ben_1.mov',
        'tea/ben_1.mp4',
    ]
    assert [video.signer for video in videos] == ['anna', 'ben', 'anna', 'ben', 'ben'] and not problems


def test_names_without_a_signer_are_named(tmp_path):
    files(tmp_path, *(f'{sign}/{name}.mp4' for sign in 'ab' for name in ('anna_1', 'ben_1', 'ben_2')))
    files(tmp_path, 'a/ben 3.mp4')
    videos, (problem,) = read_videos(tmp_path)
    assert {video.signer for video in videos} == {''} and not problem.left_out
    assert str(problem).startswith('a/ben 3: the names of 1 of 7 videos tell no signer, this one first')
    assert read_videos(tmp_path, '^[a-z]+')[1] == []
    (tmp_path / 'a' / 'ben 3.mp4').rename(tmp_path / 'a' / 'ben_3.mp4')
    videos, problems = read_videos(tmp_path)
    assert {video.signer for video in videos} == {'anna', 'ben'} and not problems


def test_a_csv_beside_other_folders(tmp_path):
    files(tmp_path, 'clips/a/x.mp4', 'clips/b/x.mp4', 'lists/x.mp4')
    (tmp_path / 'lists' / 'l.csv').write_text(
        'video;gloss\n../clips/a/x.mp4;hello\n../clips/b/x.mp4;tea\nx.mp4;no\n../clips/a/x.mp4;hello\n'
    )
    videos, problems = read_videos(tmp_path / 'lists' / 'l.csv')
    # Ids are no paths that leave a folder, and each video has its own.
    assert [(video.video_id, video.gloss) for video in videos] == [
        ('x', 'hello'),
        ('x.mp4', 'tea'),
        ('x.mp4 (2)', 'no'),
    ]
    assert [str(problem) for problem in problems] == ['x: the same video as x, taken once']


def test_a_csv_without_columns(tmp_path):
    (tmp_path / 'l.csv').write_text('file,sign\na.mp4,hello\n')
    with pytest.raises(ValueError, match='line 1: columns .* needed: video, gloss; possible: .*signer'):
        read_videos(tmp_path / 'l.csv')
