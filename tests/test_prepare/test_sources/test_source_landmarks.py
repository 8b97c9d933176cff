"""A folder of landmarks and WLASL's list, into a store."""

import numpy as np
import pytest
import torch
from source_fixtures import write_json, write_text

from signbert_mm.datasets import PoseStore
from signbert_mm.hand_models import HandModel
from signbert_mm.prepare.sources import LandmarkPoses
from signbert_mm.prepare.sources.wlasl import OFFICIAL, wlasl_list

LIST = {
    '00336': dict(subset='train', action=[0, 1, 60]),
    '07069': dict(subset='val', action=[1, 20, 50]),
    '69241': dict(subset='test', action=[99, 1, 40]),
    '11111': dict(subset='train', action=[2, 1, 33]),
    '22222': dict(subset='train', action=[2, 1, 33]),
    '33333': dict(subset='test', action=[3, 1, 33]),
}


def landmarks(frames=8, first=2, last=6):
    """A right hand on the left of the image and a left one on its right, in frames first to last - 1."""
    hand = HandModel().joints(torch.zeros(25), torch.zeros(10)).double().numpy()  # metres
    values = np.full((frames, 2, 21, 3), -1.0)
    for slot, (sign, x) in enumerate(((1, 0.3), (-1, 0.7))):
        values[first:last, slot] = (hand - hand[0]) * (sign, 1, 1) + (x, 0.5, 0)
    return values


@pytest.fixture
def folder(tmp_path):
    """Landmarks in sub-folders, a list, and a class list."""
    root = tmp_path / 'landmarks'
    for name in ('a', 'b'):
        (root / name).mkdir(parents=True)
    np.save(root / 'a' / '00336.npy', landmarks())
    np.save(root / 'b' / '07069.npy', landmarks(9, 0, 9))
    np.save(root / '69241.npy', landmarks(5, 1, 2))
    np.save(root / '11111.npy', np.zeros((4, 21, 3)))
    np.save(root / '22222.npy', landmarks(7, 0, 0))
    np.save(root / '55555.npy', landmarks())
    write_json(tmp_path / 'labels' / 'nslt_100.json', LIST)
    classes = ''.join(f'{label}\tgloss{label}\n' for label in range(2000))
    write_text(tmp_path / 'labels' / 'wlasl_class_list.txt', classes)
    return root


def test_converter(folder, run_converter, tmp_path, capsys):
    annotations = tmp_path / 'labels' / 'nslt_100.json'
    run_converter('landmarks_to_store.py', folder, tmp_path / 's', '--annotations', annotations)
    store = PoseStore(tmp_path / 's')
    assert store.layout.name == 'hands_42' and store.glosses == [f'gloss{label}' for label in range(100)]
    assert store.video_id.tolist() == ['00336', '07069', '69241'] and store.label.tolist() == [0, 1, 99]
    assert store.split_counts() == dict(train=1, val=1, test=1) and store.length.tolist() == [4, 9, 1]
    assert store.width.tolist() == [640] * 3 and store.height.tolist() == [480] * 3
    assert store.fps.tolist() == [25] * 3
    assert store.hands_found.all()
    points, scores = store.clip(0)
    assert (scores == 1).all()
    np.testing.assert_allclose(points[:, 21], [[0.3 * 640, 240]] * 4, rtol=1e-6)  # the right wrist
    np.testing.assert_allclose(points[:, 0], [[0.7 * 640, 240]] * 4, rtol=1e-6)
    coverage = {split: (row['expected'], row['present']) for split, row in store.coverage.items()}
    assert coverage == dict(train=(3, 1), val=(1, 1), test=(2, 1)) and store.official == OFFICIAL[100]
    missing = {line.split('\t')[1]: line.split('\t')[3] for line in store.missing}
    assert set(missing) == {'11111', '22222', '33333'} and missing['33333'] == 'no poses'
    assert '11111.npy: float64 of shape (4, 21, 3) found' in missing['11111']
    assert '22222.npy: no hand in any of 7 frames' in missing['22222']
    notes = store.meta['notes']
    assert notes['trim'] is True and notes['mirrored'] is False and notes['dataset'] == 'wlasl100'
    assert store.meta['extractor'] == 'mediapipe hands'
    assert 'to be cleared by the user' in store.meta['licence']
    out = capsys.readouterr().out
    assert 'train: 1 of 3 clips (33.3%)' in out
    assert "1 of 6 files are of clips that are not listed: ['55555']" in out


def test_options(folder, run_converter, tmp_path):
    (tmp_path / 'labels' / 'nslt_100.json').rename(tmp_path / 'nslt_100.json')
    classes = tmp_path / 'labels' / 'wlasl_class_list.txt'
    arguments = ['--annotations', tmp_path / 'nslt_100.json', '--classes', classes, '--source', 'mine']
    arguments += ['--licence', 'own']
    arguments += ['--no-trim', '--mirrored', '--width', 320, '--height', 200, '--fps', 30, '--dtype', 'int16']
    run_converter('landmarks_to_store.py', folder, tmp_path / 's', *arguments)
    store = PoseStore(tmp_path / 's')
    assert store.video_id.tolist() == ['00336', '07069', '69241', '22222']
    assert store.length.tolist() == [8, 9, 5, 7] and store.fps.tolist() == [30] * 4
    assert store.meta['source'] == 'mine' and store.meta['licence'] == 'own'
    points, scores = store.clip(0)
    assert not scores[:2].any() and not scores[6:].any() and (scores[2:6] == 1).all()
    # x is turned over, and with it the sides
    np.testing.assert_allclose(points[2, [0, 21]], [[0.7 * 320, 100], [0.3 * 320, 100]], atol=0.07)
    assert store.meta['notes']['mirrored'] is True and not PoseStore(tmp_path / 's').clip(3)[1].any()


def test_nothing_fits(folder, run_converter, tmp_path):
    annotations = tmp_path / 'labels' / 'nslt_100.json'
    write_json(annotations, {'99999': dict(subset='train', action=[0, 1, 2])})
    arguments = ['landmarks_to_store.py', folder, tmp_path / 's', '--annotations', annotations]
    with pytest.raises(SystemExit, match="not one of 1 clips was found .*'99999'.*landmarks has 6"):
        run_converter(*arguments)
    assert not (tmp_path / 's').exists()


def test_two_files_of_one_clip(folder):
    np.save(folder / 'b' / '00336.npy', landmarks())
    with pytest.raises(ValueError, match="'00336' fits several"):
        LandmarkPoses(str(folder)).find('00336')


def test_bad_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match='no such folder'):
        LandmarkPoses(str(tmp_path / 'nothing'))
    with pytest.raises(FileNotFoundError, match=r'no \.npy files; <video id>\.npy expected'):
        LandmarkPoses(str(tmp_path))
    for wrong in (dict(width=0), dict(height=-1), dict(fps=-1), dict(fps=float('nan'))):
        with pytest.raises(ValueError, match='give the true image size and rate'):
            LandmarkPoses(str(tmp_path), **wrong)


def test_list(folder, tmp_path):
    labels = tmp_path / 'labels'
    found = wlasl_list(str(labels / 'nslt_100.json'))
    assert found.name == 'wlasl100' and len(found.glosses) == 100
    assert found.counts() == dict(train=3, val=1, test=2)
    assert found.records[2].label == 99 and found.official == OFFICIAL[100]
    (labels / 'nslt_100.json').rename(labels / 'mine.json')
    mine = wlasl_list(str(labels / 'mine.json'))
    assert mine.name == 'wlasl2000' and len(mine.glosses) == 2000


def test_bad_lists(folder, tmp_path):
    path, classes = tmp_path / 'labels' / 'nslt_100.json', tmp_path / 'labels' / 'wlasl_class_list.txt'
    with pytest.raises(FileNotFoundError, match=r'nslt_300\.json: no such file; give that of WLASL'):
        wlasl_list(str(path.with_name('nslt_300.json')))
    write_json(path, {'1': dict(subset='train', action=[100, 1, 2])})
    with pytest.raises(ValueError, match=r"video '1': label 100 is outside 0 \.\. 99"):
        wlasl_list(str(path))
    write_text(classes, '0\tbook\n')
    with pytest.raises(ValueError, match='1 glosses found, 100 needed'):
        wlasl_list(str(path))
    classes.unlink()
    with pytest.raises(FileNotFoundError, match=r'wlasl_class_list\.txt: no such file; .* \(--classes'):
        wlasl_list(str(path))


@pytest.mark.parametrize('subset', sorted(OFFICIAL))
def test_the_shipped_lists(shared, subset):
    found = wlasl_list(str(shared / 'labels' / f'nslt_{subset}.json'))
    assert found.deviations() == [] and found.counts() == OFFICIAL[subset] and len(found.glosses) == subset
