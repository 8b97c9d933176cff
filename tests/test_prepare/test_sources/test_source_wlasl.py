import json

import pytest
from source_fixtures import write_json, write_poses, write_text, write_video

from signbert_mm.datasets import PoseStore
from signbert_mm.prepare.sources import wlasl
from signbert_mm.prepare.sources.wlasl import wlasl_index

NSLT = {
    '69241': dict(subset='train', action=[0, 1, 60]),
    '69302': dict(subset='val', action=[0, 20, 50]),
    '07069': dict(subset='test', action=[1, 1, 40]),
    '00335': dict(subset='train', action=[101, 1, 33]),
}


def instance(video_id, split, url='http://aslbricks.org/book.mp4', first=1, last=-1, signer=118):
    return dict(
        bbox=[385, 37, 885, 720],
        fps=25,
        frame_end=last,
        frame_start=first,
        instance_id=0,
        signer_id=signer,
        source='aslbrick',
        split=split,
        url=url,
        variation_id=0,
        video_id=video_id,
    )


WHOLE = [
    dict(
        gloss='book',
        instances=[
            instance('69241', 'train'),
            instance('69302', 'val', 'https://www.youtube.com/watch?v=abcdefghij_', 26, 75, 4),
        ],
    ),
    dict(gloss='drink', instances=[instance('07069', 'test', signer=9)]),
    *(dict(gloss=f'gloss{place}', instances=[]) for place in range(2, 1999)),
    dict(gloss='whistle', instances=[]),
]
WHOLE[101]['instances'] = [instance('00335', 'train')]


@pytest.fixture
def folder(tmp_path):
    """The layout of the owners' repository, with four clips."""
    root = tmp_path / 'WLASL'
    preprocess = root / 'code' / 'I3D' / 'preprocess'
    write_json(preprocess / 'nslt_2000.json', NSLT)
    write_json(
        preprocess / 'nslt_100.json', {name: clip for name, clip in NSLT.items() if clip['action'][0] < 100}
    )
    write_text(
        preprocess / 'wlasl_class_list.txt',
        ''.join(f'{label}\t{entry["gloss"]}\n' for label, entry in enumerate(WHOLE)),
    )
    write_json(root / 'start_kit' / 'WLASL_v0.3.json', WHOLE)
    return root


def test_index(folder):
    found = wlasl_index(str(folder))
    assert (
        found.name == 'wlasl2000'
        and len(found.glosses) == 2000
        and found.glosses[:2] == ['book', 'drink']
        and found.glosses[-1] == 'whistle'
    )
    assert [(record.video_id, record.label, record.split, record.signer) for record in found.records] == [
        ('69241', 0, 'train', '118'),
        ('69302', 0, 'val', '4'),
        ('07069', 1, 'test', '9'),
        ('00335', 101, 'train', '118'),
    ]
    assert [(record.video, record.start, record.end) for record in found.records[:2]] == [
        ('', None, None),
        ('abcdefghij_', 1.0, 3.0),
    ]
    small = wlasl_index(str(folder), 100)
    assert small.name == 'wlasl100' and len(small.glosses) == 100 and len(small) == 3
    # from nslt_2000.json
    assert [record.video_id for record in wlasl_index(str(folder), 300, ['test']).records] == ['07069']


def test_a_signer_that_is_unknown(folder):
    (path,) = folder.rglob('WLASL_v0.3.json')
    whole = json.loads(path.read_text())
    whole[0]['instances'][0]['signer_id'] = None
    path.write_text(json.dumps(whole))
    assert wlasl_index(str(folder)).records[0].signer == ''
    whole[0]['instances'][0]['signer_id'] = [1]
    path.write_text(json.dumps(whole))
    with pytest.raises(ValueError, match=r"v0.3.json: gloss 'book', instance 1: signer is \[1\]; expected"):
        wlasl_index(str(folder))


def test_lists_without_the_whole_annotation_and_the_reverse(folder):
    (folder / 'start_kit' / 'WLASL_v0.3.json').unlink()
    found = wlasl_index(str(folder))
    assert len(found) == 4 and found.records[1].signer == '' and found.records[1].video == ''
    write_json(folder / 'start_kit' / 'WLASL_v0.3.json', WHOLE)
    for path in (folder / 'code' / 'I3D' / 'preprocess').iterdir():
        path.unlink()
    alone = wlasl_index(str(folder), 100)
    assert alone.glosses[:2] == ['book', 'drink'] and {
        record.video_id: (record.label, record.split) for record in alone.records
    } == {
        '69241': (0, 'train'),
        '69302': (0, 'val'),
        '07069': (1, 'test'),
    }


def test_converter(folder, run_converter, tmp_path):
    write_poses(folder / 'poses', {'69241': 20, 'abcdefghij_': 100})
    run_converter('wlasl_to_store.py', folder, tmp_path / 's', '--poses', folder / 'poses')
    store = PoseStore(tmp_path / 's')
    assert (
        store.video_id.tolist() == ['69241', '69302']
        and store.length.tolist() == [20, 50]
        and store.label.tolist() == [0, 0]
    )
    assert (
        store.clip(1)[0][0, 0, 0] == 10 + 25
        and store.signer.tolist() == ['118', '4']
        and len(store.glosses) == 2000
    )
    assert {split: (row['expected'], row['present']) for split, row in store.coverage.items()} == dict(
        train=(2, 1), val=(1, 1), test=(1, 0)
    )
    assert store.official == dict(train=14296, val=3920, test=2879) and len(store.missing) == 2
    run_converter('wlasl_to_store.py', folder, tmp_path / 't', '--subset', 100, '--poses', tmp_path / 's')
    assert len(PoseStore(tmp_path / 't').glosses) == 100 and PoseStore(tmp_path / 't').length.tolist() == [
        20,
        50,
    ]


def test_videos_as_the_owners_script_leaves_them(folder, run_converter, tmp_path, monkeypatch):
    pytest.importorskip('mediapipe.python.solutions')
    write_video(folder / 'videos' / '69241.mp4', 3)
    write_text(folder / 'videos' / '69302.mp4', 'not a video')
    run_converter(
        'wlasl_to_store.py', folder, tmp_path / 's', '--videos', folder / 'videos', '--extractor', 'mediapipe'
    )
    store = PoseStore(tmp_path / 's')
    assert (
        store.video_id.tolist() == ['69241']
        and store.length.tolist() == [3]
        and store.meta['extractor'].startswith('mediapipe 0.10')
    )
    assert (
        sum('69302' in line and '69302.mp4' in line for line in store.missing) == 1
        and len(store.missing) == 3
    )


@pytest.mark.parametrize(
    'file, text, message',
    [
        (
            'nslt_2000.json',
            '{"69241": {"subset": "train", "action": [0, 1, 60]},\n"1": }',
            r'nslt_2000.json: line 2 is not JSON',
        ),
        (
            'nslt_2000.json',
            json.dumps(NSLT)[:-1] + ',\n"69241": {}}',
            r"nslt_2000.json: '69241' is listed "
            r'twice: lines 1 and 2',
        ),
        ('nslt_2000.json', '{"1": {"subset": "train"}}', r"video '1': field 'action' is absent"),
        ('nslt_2000.json', '{"1": {"subset": "dev", "action": [0, 1, 2]}}', r"video '1': subset is 'dev'"),
        ('nslt_2000.json', '{"1": {"subset": "train", "action": [0, 1]}}', r'action is \[0, 1\]'),
        (
            'nslt_2000.json',
            '{"1": {"subset": "train", "action": [-5, 1, 2]}}',
            'label -5 is outside 0 .. 1999',
        ),
        ('nslt_2000.json', '{}', 'no clips are listed'),
        (
            'wlasl_class_list.txt',
            '0\tbook\n2\tdrink\n',
            r"wlasl_class_list.txt: line 2: \['2', 'drink'\] "
            r'found; expected 1',
        ),
        ('wlasl_class_list.txt', '0\tbook\n', '1 glosses found, 2000 needed'),
    ],
)
def test_bad_lists(folder, file, text, message):
    write_text(folder / 'code' / 'I3D' / 'preprocess' / file, text)
    with pytest.raises(ValueError, match=message):
        wlasl_index(str(folder))


@pytest.mark.parametrize(
    'change, message',
    [
        (
            lambda whole: whole[0]['instances'].append(instance('07069', 'train')),
            "'07069' is listed twice: gloss 'book', instance 3 and gloss 'dri",
        ),
        (lambda whole: whole[0].pop('gloss'), "entry 1: field 'gloss' is absent"),
        (
            lambda whole: whole[0]['instances'][0].pop('video_id'),
            "gloss 'book', instance 1: field 'video_id'",
        ),
        (lambda whole: whole[0]['instances'][1].update(frame_start=None), "frame_start' is None"),
        (lambda whole: whole[0]['instances'][0].update(split='dev'), "split is 'dev'"),
        (lambda whole: whole.insert(0, 5), 'entry 1: 5 found'),
    ],
)
def test_bad_annotation(folder, change, message):
    whole = json.loads(json.dumps(WHOLE))
    change(whole)
    write_json(folder / 'start_kit' / 'WLASL_v0.3.json', whole)
    with pytest.raises(ValueError, match=message):
        wlasl_index(str(folder))


def test_the_first_of_two_is_kept_when_told(folder):
    whole = json.loads(json.dumps(WHOLE))
    whole[1]['instances'].append(instance('69241', 'test', signer=5))
    write_json(folder / 'start_kit' / 'WLASL_v0.3.json', whole)
    assert wlasl_index(str(folder), repeated='first').records[0].signer == '118'


def test_absent_annotation(tmp_path):
    with pytest.raises(FileNotFoundError, match='the annotation is absent; looked for WLASL_v0.3.json'):
        wlasl_index(str(tmp_path))
    write_json(tmp_path / 'nslt_100.json', NSLT)
    with pytest.raises(FileNotFoundError, match='the class list .* is absent'):
        wlasl_index(str(tmp_path), 100)
    with pytest.raises(ValueError, match='WLASL50: choose'):
        wlasl_index(str(tmp_path), 50)


@pytest.mark.parametrize('subset', wlasl.SUBSETS)
def test_the_shipped_lists(shared, subset):
    found = wlasl_index(str(shared / 'labels'), subset)
    assert (
        found.deviations() == []
        and found.counts() == wlasl.OFFICIAL[subset]
        and len(found.glosses) == subset
        and found.glosses[0] == 'book'
    )
    assert {record.label for record in found.records} == set(range(subset))
