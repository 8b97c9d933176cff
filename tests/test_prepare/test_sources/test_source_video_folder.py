import cv2
import numpy as np
import pytest
from source_fixtures import Brightness, write_poses, write_video

from signbert_mm.datasets import PoseStore
from signbert_mm.prepare.sources import convert
from signbert_mm.prepare.sources.splits import undrawn, untrained
from signbert_mm.prepare.sources.video_folder import video_folder_index

NAMES = [
    f'{gloss}/{signer}_{take}'
    for gloss in ('bye', 'hello')
    for signer in ('anna', 'ben', 'cem')
    for take in range(2)
]


@pytest.fixture
def folder(tmp_path):
    """Twelve files, two glosses, three signers; empty, since an index does not open them."""
    for name in NAMES:
        path = tmp_path / 'v' / f'{name}.mp4'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return str(tmp_path / 'v')


def splits(index):
    return {record.video_id: record.split for record in index.records}


def test_by_signer(folder):
    index = video_folder_index(
        folder, signer='^[^_]+', test_signers=['cem'], val_signers=['ben'], source='home', licence='CC0'
    )
    assert (
        index.glosses == ['bye', 'hello']
        and [record.video_id for record in index.records] == NAMES
        and index.name == 'v'
    )
    assert [record.label for record in index.records] == [0] * 6 + [1] * 6
    assert [record.signer for record in index.records[:6]] == ['anna', 'anna', 'ben', 'ben', 'cem', 'cem']
    assert [record.split for record in index.records[:6]] == ['train', 'train', 'val', 'val', 'test', 'test']
    assert (index.source, index.licence) == ('home', 'CC0') and untrained(index) == []
    assert video_folder_index(folder, signer='_(.)$').records[1].signer == '1' and set(
        splits(video_folder_index(folder)).values()
    ) == {'train'}


def test_signers_by_folder_and_a_gloss_of_the_test_signer_alone(tmp_path):
    for name in ('hello/anna/1.mp4', 'hello/cem/1.mp4', 'bye/cem/1.MOV'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    index = video_folder_index(tmp_path, signer='^[^/]+(?=/)', test_signers=['cem'])
    assert splits(index) == {
        'bye/cem/1': 'test',
        'hello/anna/1': 'train',
        'hello/cem/1': 'test',
    } and untrained(index) == ['bye']


def test_by_share(folder, tmp_path):
    index = video_folder_index(folder, test_share=0.34, val_share=0.17)
    for gloss in ('bye', 'hello'):
        own = [split for name, split in splits(index).items() if name.startswith(gloss)]
        assert sorted(own) == ['test', 'test', 'train', 'train', 'train', 'val']
    assert splits(index) == splits(video_folder_index(folder, test_share=0.34, val_share=0.17))
    assert splits(index) != splits(video_folder_index(folder, test_share=0.34, val_share=0.17, seed=1))
    test = {
        name for name, split in splits(video_folder_index(folder, test_share=0.5)).items() if split == 'test'
    }
    (tmp_path / 'v' / 'hello' / 'dora_0.mp4').touch()
    more = {
        name for name, split in splits(video_folder_index(folder, test_share=0.5)).items() if split == 'test'
    }
    assert len(test - more) <= 1 and {name for name in test if name[0] == 'b'} == {
        name for name in more if name[0] == 'b'
    }
    (tmp_path / 'w' / 'lone').mkdir(parents=True)
    (tmp_path / 'w' / 'lone' / 'a.mp4').touch()
    lone = video_folder_index(tmp_path / 'w', test_share=0.9)
    assert (
        splits(lone) == {'lone/a': 'train'}
        and undrawn(lone, 'test') == ['lone']
        and undrawn(lone, 'val') == []
    )
    assert undrawn(index, 'test') == undrawn(index, 'val') == []


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(test_signers=['cem'], test_share=0.2, signer='^[^_]+'), 'by signers or by shares, not both'),
        (dict(test_signers=['cem']), 'need `signer`'),
        (dict(test_share=0.6, val_share=0.4), 'together below 1'),
        (dict(test_share=-0.1), 'at least 0'),
        (
            dict(signer='^[^_]+', test_signers=['cem'], val_signers=['cem']),
            'cem are to be in test and in val',
        ),
        (dict(signer='^[^_]+', test_signers=['dora']), 'no video is of signer dora; .* finds anna, ben, cem'),
        (dict(signer='^[^_]+', test_signers=['anna', 'ben', 'cem']), 'no clip is left in train'),
        (dict(signer='^x'), r"bye/anna_0: --signer '\^x' finds no signer"),
        (dict(signer='('), r"--signer '\(' is no regular expression"),
        (dict(test_share=float('nan')), 'test_share nan and val_share 0: both must be at least 0'),
        (dict(val_share=float('nan')), 'val_share nan'),
    ],
)
def test_bad_options(folder, options, message):
    with pytest.raises(ValueError, match=message):
        video_folder_index(folder, **options)


def test_folders_whose_names_are_one_gloss(tmp_path):
    for name in ('hello /1.mp4', 'hello/2.mp4', 'cafe\u0301/anna /1.mp4'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    index = video_folder_index(tmp_path, signer='^[^/]+(?=/)|.$')
    assert index.glosses == ['caf\u00e9', 'hello']
    assert [record.video_id for record in index.records] == ['caf\u00e9/anna/1', 'hello/1', 'hello/2']


def test_bad_folders(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match='no such folder'):
        video_folder_index(tmp_path / 'absent')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='no videos in it; the layout is <gloss>/'):
        video_folder_index(tmp_path / 'empty')
    (tmp_path / 'v' / 'loose.mp4').touch()
    with pytest.raises(ValueError, match='loose lies in no folder of a gloss'):
        video_folder_index(folder)


def test_videos_and_images_become_a_store(tmp_path):
    write_video(tmp_path / 'v' / 'hello' / 'anna_1.mp4', 5)
    write_video(tmp_path / 'v' / 'hello' / 'cem_1.avi', 4)
    (tmp_path / 'v' / 'bye' / 'cem_1').mkdir(parents=True)
    for number in range(3):
        cv2.imwrite(
            str(tmp_path / 'v' / 'bye' / 'cem_1' / f'{number:03d}.png'),
            np.full((48, 64, 3), 40 * number, np.uint8),
        )
    (tmp_path / 'v' / 'bye' / 'anna_1.mp4').write_text('no video')
    index = video_folder_index(tmp_path / 'v', signer='^[^_]+', test_signers=['cem'])
    store = convert(index, str(tmp_path / 's'), videos=str(tmp_path / 'v'), extractor=Brightness())
    assert store.video_id.tolist() == [
        'bye/cem_1',
        'hello/anna_1',
        'hello/cem_1',
    ] and store.length.tolist() == [3, 5, 4]
    assert (
        store.glosses == ['bye', 'hello']
        and store.label.tolist() == [0, 1, 1]
        and store.split.tolist() == ['test', 'train', 'test']
    )
    np.testing.assert_allclose(store.clip(0)[0][:, 0, 0], [0, 10, 20])
    assert 'bye/anna_1' in (tmp_path / 's' / 'missing.txt').read_text()


def test_the_tool(folder, run_converter, tmp_path, capsys):
    write_poses(tmp_path / 'poses', dict.fromkeys(NAMES, 3))
    options = ['--poses', tmp_path / 'poses', '--poses-extractor', 'mediapipe 0.10.21']
    run_converter(
        'folder_to_store.py',
        folder,
        tmp_path / 's',
        *options,
        '--signer',
        '^[^_]+',
        '--test-signers',
        'cem',
        '--source',
        'home',
    )
    store = PoseStore(tmp_path / 's')
    assert (
        store.split_counts() == dict(train=8, test=4)
        and set(store.signer) == {'anna', 'ben', 'cem'}
        and store.meta['source'] == 'home'
    )
    assert store.glosses == ['bye', 'hello'] and store.meta['notes']['splits']['test_signers'] == ['cem']
    run_converter(
        'folder_to_store.py', folder, tmp_path / 't', *options, '--test-share', '0.34', '--seed', '3'
    )
    assert PoseStore(tmp_path / 't').split_counts() == dict(train=8, test=4)
    assert 'warning' not in capsys.readouterr().out
    run_converter('folder_to_store.py', folder, tmp_path / 'u', *options, '--test-share', '0.05')
    assert (
        'warning: 2 of 2 glosses have too few videos for a clip in test at a share of 0.05: bye, hello\n'
        in capsys.readouterr().out
    )
