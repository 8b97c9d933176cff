"""Synthetic signs as a PoseStore."""

import os
import runpy
import sys

import numpy as np
import pytest

from signbert_mm.datasets import PoseStore, SyntheticSigns, SyntheticTruth, write_synthetic_store
from signbert_mm.datasets.synthetic import SYNTHETIC_NOTE

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def test_store_holds_the_clips_and_the_truth(tmp_path):
    store = write_synthetic_store(tmp_path / 'signs', 5, 4, clips_per_gloss=8, seed=2, layout='sign_49')
    batch = SyntheticSigns(5, 4, 2, 'sign_49').generate(range(40))
    truth = SyntheticTruth(tmp_path / 'signs')
    assert (
        len(store) == 40
        and store.glosses == [f'gloss_{i:03d}' for i in range(5)]
        and store.meta['notes']['note'] == SYNTHETIC_NOTE
    )
    np.testing.assert_array_equal(store.keypoints, batch.keypoints)
    np.testing.assert_array_equal(truth.true_2d, batch.true_2d)
    np.testing.assert_array_equal(truth.true_3d, batch.true_3d)
    np.testing.assert_array_equal(truth.camera, batch.camera)
    np.testing.assert_array_equal(store.label, batch.label)
    np.testing.assert_array_equal(store.offset, batch.offset)
    assert isinstance(truth.true_3d, np.memmap)
    sets = [
        set(np.asarray(store.signer)[np.asarray(store.split) == split]) for split in ('train', 'val', 'test')
    ]
    assert all(sets) and len(set.union(*sets)) == sum(map(len, sets)) == 4


def test_int16_without_truth(tmp_path):
    store = write_synthetic_store(
        tmp_path / 'signs', 2, 3, clips_per_gloss=3, layout='hands_42', dtype='int16', truth=False
    )
    batch = SyntheticSigns(2, 3, 0, 'hands_42').generate([0])
    np.testing.assert_allclose(store.clip(0)[0], batch.keypoints[..., :2], atol=1 / 16)
    with pytest.raises(FileNotFoundError, match='truth_2d.npy'):
        SyntheticTruth(tmp_path / 'signs')


def test_truth_of_another_store_is_refused(tmp_path):
    write_synthetic_store(tmp_path / 'a', 2, 3, clips_per_gloss=3, layout='hands_42')
    write_synthetic_store(tmp_path / 'b', 3, 3, clips_per_gloss=3, layout='hands_42')
    os.replace(tmp_path / 'b' / 'truth_3d.npy', tmp_path / 'a' / 'truth_3d.npy')
    with pytest.raises(ValueError, match='truth_3d.npy.*expected'):
        SyntheticTruth(tmp_path / 'a')
    with open(tmp_path / 'b' / 'truth_2d.npy', 'r+b') as file:
        file.truncate(5000)
    with pytest.raises(ValueError, match='truth_2d.npy: damaged'):
        SyntheticTruth(tmp_path / 'b')


def test_too_few_clips_and_an_existing_folder(tmp_path):
    with pytest.raises(ValueError, match='clips_per_gloss = 4 is below num_signers = 6'):
        write_synthetic_store(tmp_path / 'signs', 2, 6, clips_per_gloss=4)
    assert not os.listdir(tmp_path)
    write_synthetic_store(tmp_path / 'signs', 2, 3, clips_per_gloss=3, layout='hands_42')
    with pytest.raises(FileExistsError):
        write_synthetic_store(tmp_path / 'signs', 2, 3, clips_per_gloss=3, layout='hands_42')
    assert (
        len(
            write_synthetic_store(
                tmp_path / 'signs', 3, 3, clips_per_gloss=3, layout='hands_42', overwrite=True
            )
        )
        == 9
    )
    assert os.listdir(tmp_path) == ['signs']


def test_converter(tmp_path, monkeypatch, capsys):
    script = os.path.join(ROOT, 'tools', 'dataset_converters', 'make_synthetic.py')
    arguments = [
        script,
        str(tmp_path / 'signs'),
        '--glosses',
        '3',
        '--signers',
        '4',
        '--clips-per-gloss',
        '4',
        '--layout',
        'sign_49',
    ]
    monkeypatch.setattr(sys, 'argv', arguments)
    runpy.run_path(script, run_name='__main__')
    assert '12 clips (6 train, 3 val, 3 test)' in capsys.readouterr().out
    assert len(PoseStore(tmp_path / 'signs')) == 12
    with pytest.raises(SystemExit, match='exists'):
        runpy.run_path(script, run_name='__main__')
