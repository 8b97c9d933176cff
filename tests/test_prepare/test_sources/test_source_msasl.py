import json

import pytest
from source_fixtures import write_json, write_poses, write_text

from signbert_mm.datasets import PoseStore
from signbert_mm.prepare.sources import msasl
from signbert_mm.prepare.sources.msasl import msasl_index, youtube_id

CLASSES = ['hello', 'nice', *(f'gloss{place}' for place in range(2, 1000))]


def entry(video, label, start, end, fps=25.0, **changes):
    return dict(
        org_text='HELLO',
        clean_text='hello',
        start_time=start / fps,
        signer_id=3,
        signer=0,
        start=start,
        end=end,
        file='Signs',
        label=label,
        height=360.0,
        fps=fps,
        end_time=end / fps,
        url=f'https://www.youtube.com/watch?v={video}',
        text=CLASSES[label],
        box=[0.1, 0.2, 1.0, 0.9],
        width=640.0,
        **changes,
    )


LISTS = dict(
    train=[
        entry('aaaaaaaaaa1', 0, 0, 50),
        entry('aaaaaaaaaa1', 1, 50, 80),
        entry('bbbbbbbbb-2', 101, 10, 30),
    ],
    val=[entry('ccccccccc_3', 1, 5, 25)],
    test=[entry('ddddddddddd', 0, 0, 20)],
)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / 'MS-ASL'
    write_json(root / 'MSASL_classes.json', CLASSES)
    for split, entries in LISTS.items():
        text = ',\n'.join(json.dumps(item) for item in entries)  # an entry a line, as shipped
        write_text(root / f'MSASL_{split}.json', f'[{text}]')
    return root


def test_index(folder):
    found = msasl_index(str(folder))
    assert found.name == 'msasl1000' and len(found) == 5 and found.counts() == dict(train=3, val=1, test=1)
    first = found.records[1]
    assert (first.video_id, first.video, first.label, first.split, first.signer) == (
        'aaaaaaaaaa1_50_80',
        'aaaaaaaaaa1',
        1,
        'train',
        '3',
    )
    assert (first.start, first.end, first.unit, first.fps, first.size) == (
        2.0,
        3.2,
        'seconds',
        25.0,
        (640, 360),
    )
    assert first.box == (0.2, 0.1, 0.9, 1.0) and first.where == 'MSASL_train.json line 2'
    small = msasl_index(str(folder), 100, ['train', 'val'])
    assert (
        small.name == 'msasl100'
        and len(small) == 3
        and len(small.glosses) == 100
        and small.official == dict(train=3789, val=1190)
    )


@pytest.mark.parametrize('signer, name', [(None, ''), (' anna', 'anna')])
def test_a_signer_that_is_unknown_or_a_name(folder, signer, name):
    write_json(folder / 'MSASL_test.json', [dict(LISTS['test'][0], signer_id=signer)])
    assert msasl_index(str(folder), 100, ['test']).records[0].signer == name


def test_converter(folder, run_converter, tmp_path):
    # a whole video and a clip that is cut already
    write_poses(folder / 'poses', {'aaaaaaaaaa1': 70, 'ccccccccc_3_5_25': 9})
    run_converter(
        'msasl_to_store.py', folder, tmp_path / 's', '--poses', folder / 'poses', '--dtype', 'int16'
    )
    store = PoseStore(tmp_path / 's')
    assert store.video_id.tolist() == [
        'aaaaaaaaaa1_0_50',
        'aaaaaaaaaa1_50_80',
        'ccccccccc_3_5_25',
    ] and store.length.tolist() == [50, 20, 9]
    assert store.split_counts() == dict(train=2, val=1) and [
        store.clip(clip)[0][0, 0, 0] for clip in range(2)
    ] == [10, 60]
    assert {split: (row['expected'], row['present']) for split, row in store.coverage.items()} == dict(
        train=(3, 2), val=(1, 1), test=(1, 0)
    )
    with open(tmp_path / 's' / 'doubtful.txt') as file:
        assert '20 of 30 annotated frames' in file.read()
    run_converter(
        'msasl_to_store.py',
        folder,
        tmp_path / 't',
        '--subset',
        100,
        '--splits',
        'val',
        '--poses',
        tmp_path / 's',
    )
    assert PoseStore(tmp_path / 't').video_id.tolist() == ['ccccccccc_3_5_25'] and PoseStore(
        tmp_path / 't'
    ).length.tolist() == [9]


@pytest.mark.parametrize(
    'line, message',
    [
        ('{"label": 1,,}', 'MSASL_val.json: line 2 is not JSON'),
        ('5', 'MSASL_val.json line 2: 5 found'),
        (json.dumps({**entry('eeeeeeeeeee', 1, 0, 9), 'label': '1'}), "line 2: field 'label' is '1'"),
        (
            json.dumps({**entry('eeeeeeeeeee', 1, 0, 9), 'label': 1000}),
            r'line 2: label 1000 is outside 0 .. '
            r'999',
        ),
        (
            json.dumps({**entry('eeeeeeeeeee', 1, 0, 9), 'url': 'https://vimeo.com/1'}),
            "line 2: url is 'https://vimeo.com/1'",
        ),
        (
            json.dumps({**entry('eeeeeeeeeee', 1, 0, 9), 'start': float('nan')}),
            "line 2: field 'start' is nan",
        ),
        (json.dumps({**entry('eeeeeeeeeee', 1, 0, 9), 'box': [0, 1]}), r'line 2: box is \[0, 1\]'),
        (
            json.dumps({key: value for key, value in entry('e' * 11, 1, 0, 9).items() if key != 'fps'}),
            "line 2: field 'fps' is absent",
        ),
        (
            json.dumps(LISTS['val'][0]),
            "'ccccccccc_3_5_25' is listed twice: MSASL_val.json line 1 .* MSASL_val.json line 2",
        ),
        (
            json.dumps(LISTS['test'][0]),
            r'listed twice: MSASL_val.json line 2 \(val\) and MSASL_test.json '
            r'line 1 \(test\)',
        ),
    ],
)
def test_bad_lines(folder, line, message):
    write_text(folder / 'MSASL_val.json', f'[{json.dumps(LISTS["val"][0])},\n{line}]')
    with pytest.raises(ValueError, match=message):
        msasl_index(str(folder))


def test_a_clip_without_frames_stops_no_other(folder, run_converter, tmp_path):
    empty = [{**entry(video, 1, 50, 60), 'end_time': 2.0} for video in ('ccccccccc_3', 'fffffffffff')]
    write_json(folder / 'MSASL_val.json', [*LISTS['val'], *empty])
    # One is to be cut out, the other is there already cut.
    write_poses(folder / 'poses', {'ccccccccc_3': 70, 'fffffffffff_50_60': 9})
    run_converter('msasl_to_store.py', folder, tmp_path / 's', '--splits', 'val', '--poses', folder / 'poses')
    store = PoseStore(tmp_path / 's')
    assert store.video_id.tolist() == ['ccccccccc_3_5_25', 'fffffffffff_50_60']
    reason = 'start 2 and end 2 (seconds) leave no frames; correct the annotation'
    assert store.missing == [f'val\tccccccccc_3_50_60\tnice\t{reason}']


def test_absent_lists(folder):
    (folder / 'MSASL_train.json').unlink()
    with pytest.raises(
        FileNotFoundError, match='the list of train clips is absent; looked for MSASL_train.json'
    ):
        msasl_index(str(folder))
    assert len(msasl_index(str(folder), splits=['val', 'test'])) == 2
    with pytest.raises(ValueError, match='MS-ASL300: choose'):
        msasl_index(str(folder), 300)
    write_json(folder / 'MSASL_classes.json', CLASSES[:99])
    with pytest.raises(ValueError, match='99 entries found, 100 glosses needed'):
        msasl_index(str(folder), 100)


@pytest.mark.parametrize(
    'url, video',
    [
        ('www.youtube.com/watch?v=wX78EPtSuzU', 'wX78EPtSuzU'),
        ('https://www.youtube.com/watch?v=FwGL9FjFpYI&t=1s', 'FwGL9FjFpYI'),
        ('https://youtu.be/-kgTBeOw95A', '-kgTBeOw95A'),
        ('https://www.youtube.com/watch?a=b&v=_________-x', '_________-x'),
        ('https://www.youtube.com/watch?v=short', None),
        ('https://vimeo.com/12345678901', None),
    ],
)
def test_youtube_id(url, video):
    assert youtube_id(url) == video


@pytest.mark.parametrize('subset', msasl.SUBSETS)
def test_the_shipped_test_list(shared, subset):
    found = msasl_index(str(shared / 'labels'), subset, ['test'])
    assert found.deviations() == [] and len(found.glosses) == subset and found.glosses[0] == 'hello'
    # the paper's totals
    assert sum(msasl.OFFICIAL[subset].values()) == {100: 5736, 200: 9719, 500: 17823, 1000: 25513}[subset]
