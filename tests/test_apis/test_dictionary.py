import json
import os
import signal

import numpy as np
import pytest

from signbert_mm.apis import Match, SignDictionary

EAST, NORTH, SLANTED = [1.0, 0.0], [0.0, 1.0], [0.6, 0.8]


@pytest.fixture
def signs():
    made = SignDictionary('abc', 2, 'a note')
    made.add('east', np.array([EAST, [0.8, -0.6]]), ['e1', 'e2'])
    made.add('north', 3 * np.array([NORTH]))
    return made


def test_nearest_and_prototype(signs):
    (best, second), (only,) = signs.search(np.array([SLANTED]), 2)[0], signs.search(np.array([EAST]), 1)[0]
    assert best == Match('north', pytest.approx(0.8), '') and second == Match(
        'east', pytest.approx(0.6), 'e1'
    )
    assert only == Match('east', pytest.approx(1.0), 'e1')
    # the mean of (1, 0) and (0.8, -0.6) is (0.9, -0.3), of length sqrt(0.9)
    cosine, which = signs.similarities(np.array([EAST]), 'prototype')
    assert cosine[0].tolist() == pytest.approx([0.9 / 0.9**0.5, 0]) and (which == -1).all()


def test_add_and_remove(signs):
    signs.add('north', np.array([SLANTED]), ['n2'])
    assert signs.examples('north') == ['', 'n2'] and len(signs) == 2
    signs.remove('east')
    assert signs.glosses == ['north']
    with pytest.raises(KeyError, match="no sign 'east'"):
        signs.remove('east')
    signs.remove('north')
    with pytest.raises(ValueError, match='empty'):
        signs.search(np.array([EAST]))


def test_an_example_twice(signs):
    vectors = np.array([EAST, NORTH])
    # The length of a vector does not matter.
    assert signs.has('east', 2 * vectors).tolist() == [True, False]
    assert signs.has('other', vectors).tolist() == [False, False]


def test_one_sign_has_no_threshold(signs, tmp_path):
    signs.calibrate()
    for gloss in signs.glosses[1:]:
        signs.remove(gloss)
    signs.save(tmp_path / 'one')
    assert SignDictionary.load(tmp_path / 'one').threshold is None


def test_on_disk(signs, tmp_path):
    signs.save(tmp_path / 'signs')
    signs.add('west', np.array([[-1.0, 0.0]]), ['w'])
    signs.save(tmp_path / 'signs')
    assert len(os.listdir(tmp_path / 'signs')) == 2  # the old vectors are gone
    read = SignDictionary.load(tmp_path / 'signs')
    assert (read.glosses, read.encoder, read.dim, read.note) == (
        ['east', 'north', 'west'],
        'abc',
        2,
        'a note',
    )
    assert read.examples('east') == ['e1', 'e2'] and read.search(np.array([SLANTED])) == signs.search(
        np.array([SLANTED])
    )


def test_damage(signs, tmp_path):
    with pytest.raises(FileNotFoundError, match='no dictionary'):
        SignDictionary.load(tmp_path)
    signs.save(tmp_path)
    (vectors,) = tmp_path.glob('*.npz')
    data = vectors.read_bytes()
    vectors.write_bytes(data[:-7])
    with pytest.raises(ValueError, match='checksum'):
        SignDictionary.load(tmp_path)
    vectors.unlink()
    with pytest.raises(FileNotFoundError, match='absent'):
        SignDictionary.load(tmp_path)
    index = tmp_path / 'dictionary.json'
    signs.save(tmp_path)
    index.write_text(json.dumps(dict(json.loads(index.read_text()), format_version=1)))
    with pytest.raises(
        ValueError,
        match='version 1, which does not tell how the clips .*; build it again: tools/build_dictionary.py',
    ):
        SignDictionary.load(tmp_path)
    for text in ('', '[]', json.dumps(dict(json.loads(index.read_text()), format_version=9))):
        index.write_text(text)
        with pytest.raises(ValueError, match='not a dictionary of version 2'):
            SignDictionary.load(tmp_path)


def test_bad_vectors(signs):
    for gloss, vectors, names, message in (
        ('', [EAST], (), 'give text'),
        ('x', [[1.0]], (), r'give \(n, 2\)'),
        ('x', np.zeros((0, 2)), (), r'give \(n, 2\)'),
        ('x', [[np.nan, 1]], (), 'not finite'),
        ('x', [EAST], ['a', 'b'], '1 vectors, but 2 names'),
    ):
        with pytest.raises(ValueError, match=message):
            signs.add(gloss, np.array(vectors), names)
    with pytest.raises(ValueError, match='compare'):
        signs.search(np.array([EAST]), compare='median')


def test_saving_is_all_or_nothing(signs, tmp_path, monkeypatch):
    """Killed, or on a full disk, between the vectors and the index: the old dictionary, and no file more in
    the end.
    """
    from signbert_mm.apis import dictionary

    signs.save(tmp_path / 'd')
    before, glosses = sorted(os.listdir(tmp_path / 'd')), signs.glosses
    write = dictionary.write_atomic

    def fails(error):
        def write_vectors_alone(data, path):
            if path.endswith('.json'):
                error()
            write(data, path)

        return write_vectors_alone

    def full():
        raise OSError(28, 'No space left on device')

    signs.add('new', np.ones((1, signs.dim)), ['x'])
    monkeypatch.setattr(dictionary, 'write_atomic', fails(full))
    with pytest.raises(OSError, match='No space'):
        signs.save(tmp_path / 'd')
    assert sorted(os.listdir(tmp_path / 'd')) == before
    child = os.fork()
    if not child:
        monkeypatch.setattr(dictionary, 'write_atomic', fails(lambda: os.kill(os.getpid(), signal.SIGKILL)))
        signs.save(tmp_path / 'd')
        os._exit(0)
    os.waitpid(child, 0)
    assert SignDictionary.load(tmp_path / 'd').glosses == glosses
    monkeypatch.undo()
    signs.save(tmp_path / 'd')
    assert len(os.listdir(tmp_path / 'd')) == 2 and SignDictionary.load(tmp_path / 'd').glosses == [
        *glosses,
        'new',
    ]


def test_a_reader_between_the_two_files_of_a_writer_reads_again(signs, tmp_path, monkeypatch):
    signs.save(tmp_path / 'd')
    signs.add('new', np.ones((1, signs.dim)), ['x'])
    isfile, once = os.path.isfile, []

    def replaced_meanwhile(path):
        if str(path).endswith('.npz') and not once:
            once.append(path)
            monkeypatch.setattr(os.path, 'isfile', isfile)
            signs.save(tmp_path / 'd')
        return isfile(path)

    monkeypatch.setattr(os.path, 'isfile', replaced_meanwhile)
    assert SignDictionary.load(tmp_path / 'd').glosses == signs.glosses and once
