import os

import pytest

from signbert_mm.files.paths import check_name, check_text, path_below


@pytest.mark.parametrize(
    'name', ['a', 'gloss/clip', 'a.b c', 'ä/ö', '..a/b..', 'x' * 255, '...', '-', 'C:\\x']
)
def test_names_that_are_paths_below_a_folder(name, tmp_path):
    check_name(name, 'id')
    assert os.path.realpath(path_below(tmp_path, name)).startswith(f'{os.path.realpath(tmp_path)}/')


@pytest.mark.parametrize(
    'name',
    [
        '',
        '.',
        '..',
        '../x',
        'x/..',
        'a/../b',
        '/x',
        '//x',
        'x/',
        'a//b',
        './a',
        'a/.',
        'a\0b',
        'a\nb',
        'a\u2028b',
    ],
)
def test_names_that_are_none(name):
    with pytest.raises(ValueError, match='id is'):
        path_below('folder', name, '.mp4', 'id')


@pytest.mark.parametrize('name', [None, 5, b'a', ['a'], 'x' * 256, 'a\udcff', 'a\x7f', 'a\x1b[0m'])
def test_what_is_no_text_of_one_line(name):
    with pytest.raises(ValueError, match='gloss is'):
        check_text(name, 'gloss')
    with pytest.raises(ValueError, match='id is'):
        check_name(name, 'id')
    check_text('', 'signer', empty=True)


def test_long_names_get_short_and_stay_apart(tmp_path):
    assert path_below('f', 'x' * 251, '.mp4') == f'f/{"x" * 251}.mp4'
    names = ['a/' + 'x' * 252 + end for end in 'yz'] + ['ä' * 127, 'ä' * 126 + 'bb']
    names = [name for name in names if len(name.encode()) < 256]
    paths = [path_below(tmp_path, name, '.webm.part') for name in names]
    assert len(set(paths)) == len(names) == 4
    for path in paths:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, 'w').close()
