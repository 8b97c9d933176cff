"""asl-signs of Kaggle as a store."""

import json
import sys

import numpy as np
import pytest
from source_fixtures import write_text

from signbert_mm.datasets import PoseStore
from signbert_mm.prepare.sources import convert
from signbert_mm.prepare.sources.asl_signs import AslSignsPoses, asl_signs_index
from signbert_mm.prepare.sources.splits import Splits

COUNTS = dict(face=468, left_hand=21, pose=33, right_hand=21)
ROWS = 'path,participant_id,sequence_id,sign\n' + ''.join(
    f'train_landmark_files/{signer}/{clip}.parquet,{signer},{clip},{sign}\n'
    for signer, clip, sign in ((26734, 10, 'blow'), (26734, 11, 'wait'), (4718, 12, 'blow'))
)


def write_parquet(path, frames=(20, 21, 23), **changes):
    """The landmarks of some frames in long form; returns x and y (T, 543, 2). No left hand in the second."""
    pyarrow = pytest.importorskip('pyarrow', reason='pyarrow is not installed', exc_type=ImportError)
    parquet = pytest.importorskip('pyarrow.parquet')
    xy = np.random.RandomState(len(frames)).uniform(0.1, 0.9, (len(frames), 543, 2))
    xy[1, 468:489] = np.nan
    kinds = [(kind, place) for kind, count in COUNTS.items() for place in range(count)]
    table = dict(
        frame=np.repeat(np.asarray(frames, dtype=np.int16), 543),
        row_id=[f'{frame}-{kind}-{place}' for frame in frames for kind, place in kinds],
        type=[kind for kind, _ in kinds] * len(frames),
        landmark_index=np.tile(np.asarray([place for _, place in kinds], dtype=np.int16), len(frames)),
        x=xy[..., 0].ravel(),
        y=xy[..., 1].ravel(),
        z=np.zeros(543 * len(frames)),
    )
    table = {name: column for name, column in {**table, **changes}.items() if column is not None}
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.table(table), path)
    return xy


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / 'asl-signs'
    write_text(root / 'train.csv', ROWS)
    (root / 'sign_to_prediction_index_map.json').write_text(json.dumps({'wait': 0, 'blow': 1}))
    return root


def test_index(folder):
    index = asl_signs_index(str(folder), Splits(test_signers=['4718']))
    assert index.glosses == ['wait', 'blow'] and index.counts() == dict(train=2, test=1)
    assert [(item.video_id, item.label, item.signer) for item in index.records] == [
        ('26734/10', 1, '26734'),
        ('26734/11', 0, '26734'),
        ('4718/12', 1, '4718'),
    ]
    (folder / 'sign_to_prediction_index_map.json').unlink()
    assert asl_signs_index(str(folder)).glosses == ['blow', 'wait']


def test_poses(folder, tmp_path):
    files = folder / 'train_landmark_files'
    xy = write_parquet(files / '26734' / '10.parquet')
    write_parquet(files / '26734' / '11.parquet', x=None)
    (files / '4718').mkdir()
    (files / '4718' / '12.parquet').write_bytes((files / '26734' / '10.parquet').read_bytes()[:-40])
    store = convert(
        asl_signs_index(str(folder)), str(tmp_path / 's'), AslSignsPoses(str(folder), 480, 640, 30.0)
    )
    store.verify()
    assert store.video_id.tolist() == ['26734/10'] and store.layout.name == 'mediapipe_holistic'
    points, scores = store.clip(0)
    # Frame 22 is not in the file.
    assert len(points) == 4 and not scores[2].any() and store.fps[0] == 30
    for row, frame in enumerate((0, 1, 3)):
        np.testing.assert_allclose(points[frame, :33], xy[row, 489:522] * (480, 640), rtol=1e-6)
        np.testing.assert_allclose(points[frame, 54:], xy[row, 522:] * (480, 640), rtol=1e-6)
    np.testing.assert_allclose(points[0, 33:54], xy[0, 468:489] * (480, 640), rtol=1e-6)
    assert not points[1, 33:54].any() and not scores[1, 33:54].any() and scores[0].all()
    assert store.hands_found.tolist() == [[True, True], [False, True], [False, False], [True, True]]
    missing = (tmp_path / 's' / 'missing.txt').read_text()
    assert '26734/11\twait' in missing and "rows of ['frame', 'row_id'" in missing
    assert '4718/12\tblow' in missing and 'not a whole parquet file' in missing


def test_the_tool(folder, tmp_path, run_converter):
    for name in ('26734/10', '26734/11', '4718/12'):
        write_parquet(folder / 'train_landmark_files' / f'{name}.parquet')
    size = ['--width', '480', '--height', '640', '--dtype', 'int16']
    run_converter('asl_signs_to_store.py', folder, tmp_path / 's', *size, '--test-signers', '4718')
    store = PoseStore(tmp_path / 's')
    assert store.split.tolist() == ['train', 'train', 'test'] and 'kaggle.com' in store.meta['source']
    assert store.meta['extractor'] == 'mediapipe holistic, by asl-signs'


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(frame=np.asarray([0.5] * 1629)), r"columns \['frame'\] hold float64"),
        (dict(frame=np.asarray([0] * 1628 + [10**9])), 'frames run from 0 to 1000000000'),
        (dict(type=['elbow'] * 1629), r"types \['elbow'\] found"),
        (dict(type=['pose'] * 1629), 'landmarks of pose run from 0 to 467; there are 33'),
        (dict(x=['a'] * 1629), r"columns \['x'\] hold object"),
    ],
)
def test_what_is_no_such_file(tmp_path, changes, message):
    write_parquet(tmp_path / '1' / '2.parquet', **changes)
    with pytest.raises(ValueError, match=message):
        AslSignsPoses(str(tmp_path), 480, 640).read('1/2')


def test_what_is_wrong(folder, tmp_path, monkeypatch):
    write_text(folder / 'train.csv', ROWS + 'x,1,13,hello\n')
    with pytest.raises(ValueError, match="line 5: sign 'hello' is not in sign_to"):
        asl_signs_index(str(folder))
    (folder / 'sign_to_prediction_index_map.json').write_text('{"blow": 1, "wait": 1, "hello": "x"}')
    with pytest.raises(ValueError, match='the 3 signs are not numbered 0 .. 2'):
        asl_signs_index(str(folder))
    monkeypatch.setitem(sys.modules, 'pyarrow', None)
    with pytest.raises(ImportError, match='pip install .pyarrow'):
        AslSignsPoses(str(folder), 1, 1)
    monkeypatch.undo()
    pytest.importorskip('pyarrow', reason='pyarrow is not installed', exc_type=ImportError)
    with pytest.raises(FileNotFoundError, match='no .parquet files'):
        AslSignsPoses(str(folder), 480, 640)
    with pytest.raises(ValueError, match='give --width and --height'):
        AslSignsPoses(str(folder), 0, 0)
