import numpy as np
import pytest

from signbert_mm.datasets import PoseStore
from signbert_mm.prepare.sources.nmfs_csl import OFFICIAL, nmfs_csl_index

CLASSES = 4
TRAIN = [f'{label}/{label}_{take}.mp4' for label in range(CLASSES) for take in range(3)]
TEST = [f'{label}/{label}_9.mp4' for label in range(CLASSES)]


def make_lists(folder, train=None, test=None):
    """The official lists: "label/video.suffix label" to train, the video alone to test."""
    (folder / 'traintestlist').mkdir(parents=True, exist_ok=True)
    train = [f'{video} {video.split("/")[0]}' for video in TRAIN] if train is None else train
    (folder / 'traintestlist' / 'trainlist01.txt').write_text('\n'.join(train) + '\n')
    (folder / 'traintestlist' / 'testlist01.txt').write_text('\n'.join(TEST if test is None else test) + '\n')


def make_poses(folder, videos, frames=3, joints=133):
    for number, video in enumerate(videos):
        path = folder / f'{video.rsplit(".", 1)[0]}.npy'
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.full((frames, joints, 3), [100 + number, 50, 0.75], dtype=np.float32))


def index(folder, **options):
    return nmfs_csl_index(str(folder), num_classes=CLASSES, **options)


def test_the_official_lists(tmp_path):
    make_lists(tmp_path)
    found = index(tmp_path)
    assert found.counts() == dict(train=12, test=4) and found.glosses == ['0000', '0001', '0002', '0003']
    assert [(record.video_id, record.label, record.split) for record in found.records[2:4]] == [
        ('0/0_2', 0, 'train'),
        ('1/1_0', 1, 'train'),
    ]
    assert (
        found.records[-1].label == 3
        and found.records[-1].split == 'test'
        and found.records[-1].where.endswith('testlist01.txt line 4')
    )
    assert index(tmp_path, splits=['test']).counts() == dict(test=4)


def test_official_counts_and_image_sizes(tmp_path):
    """24 training and 6 test clips of each of 1,067 words; 610 of them at another image size than the
    rest.
    """
    names = [f'{label:04d}/{take:02d}.mp4' for label in range(1067) for take in range(30)]
    make_lists(
        tmp_path,
        [name for name in names if int(name[5:7]) < 24],
        [name for name in names if int(name[5:7]) >= 24],
    )
    found = nmfs_csl_index(str(tmp_path))
    assert found.counts() == OFFICIAL and found.deviations() == []
    sizes = {record.label: record.size for record in found.records}
    assert sizes[609] == (1000, 720) and sizes[610] == (540, 540)


def test_lists_as_csv_and_words(tmp_path):
    make_lists(tmp_path)
    (tmp_path / 'train.csv').write_text(''.join(f'{video.rsplit(".", 1)[0]},{video[0]}\n' for video in TRAIN))
    (tmp_path / 'words.txt').write_text('eins\nzwei\ndrei\nvier\n', encoding='utf-8')
    found = index(tmp_path, train_list=str(tmp_path / 'train.csv'), words=str(tmp_path / 'words.txt'))
    assert found.records[:12] != [] and found.records[5].video_id == '1/1_2' and found.glosses[3] == 'vier'
    (tmp_path / 'words.txt').write_text('eins\nzwei\ndrei\neins\n')
    with pytest.raises(ValueError, match=r"4 words, repeated: \['eins'\]"):
        index(tmp_path, words=str(tmp_path / 'words.txt'))
    with pytest.raises(FileNotFoundError, match='absent.txt'):
        index(tmp_path, words=str(tmp_path / 'absent.txt'))


def test_tool(tmp_path, run_converter):
    make_lists(tmp_path / 'raw')
    make_poses(
        tmp_path / 'poses', [video for video in TRAIN + TEST if video not in ('0/0_1.mp4', '2/2_9.mp4')]
    )
    (tmp_path / 'poses' / '3' / '3_9.npy').write_bytes(b'broken')
    arguments = ['--poses', 'poses', '--num-classes', CLASSES, '--width', 640, '--height', 480]
    run_converter('nmfs_csl_to_store.py', 'raw', 'data/nmfs_csl', *arguments)
    store = PoseStore('data/nmfs_csl')
    assert store.split_counts() == dict(train=11, test=2) and store.layout.name == 'coco_wholebody_133'
    assert (
        store.coverage['train'] == dict(per_class=[3, 3, 3, 3], expected=12, present=11)
        and store.coverage['test']['present'] == 2
    )
    assert [line.split('\t')[:2] for line in store.missing] == [
        ['train', '0/0_1'],
        ['test', '2/2_9'],
        ['test', '3/3_9'],
    ]
    place = store.video_id.tolist().index('1/1_2')
    assert (
        store.label[place] == 1
        and store.split[place] == 'train'
        and store.clip(place)[0][0, 0].tolist() == [104, 50]
    )
    make_poses(tmp_path / 'poses', ['0/0_0.mp4'], joints=132)
    with pytest.raises(SystemExit, match='0_0.npy'):
        run_converter(
            'nmfs_csl_to_store.py', 'raw', 'data/other', *arguments, '--layout', 'coco_wholebody_133'
        )


@pytest.mark.parametrize(
    'line, message',
    [
        ('no_folder.mp4 0', r"trainlist01.txt line 3: 'no_folder.mp4 0'; expected <label>/<video>"),
        ('0/a.mp4 0 7', r'line 3: .*expected <label>'),
        ('0/a.mp4 one', r"line 3: '0/a.mp4 one'; expected"),
        ('0/a.mp4 1', 'line 3: the list says label 1, the folder 0; .*--label-from'),
        ('4/a.mp4 4', r'line 3: label 4 is outside 0 \.\. 3'),
        ('0/0_0.mp4 0', "'0/0_0' is listed twice: .*trainlist01.txt line 1 .* and .*line 3"),
    ],
)
def test_bad_lines(tmp_path, line, message):
    make_lists(tmp_path, ['0/0_0.mp4 0', '1/1_0.mp4 1', line])
    with pytest.raises(ValueError, match=message):
        index(tmp_path)


def test_other_bad_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match='trainlist01.txt'):
        index(tmp_path)
    make_lists(tmp_path)
    (tmp_path / 'traintestlist' / 'testlist01.txt').unlink()
    with pytest.raises(FileNotFoundError, match='testlist01.txt'):
        index(tmp_path)
    make_lists(tmp_path, test=TEST + ['0/0_0.mp4'])
    with pytest.raises(
        ValueError,
        match="'0/0_0' is listed twice: .*trainlist01.txt line 1 .train. and .*testlist01.txt line 5 .test.",
    ):
        index(tmp_path)
    make_lists(tmp_path, ['0/a.mp4 1', '1/b.mp4 2'])
    assert [record.label for record in index(tmp_path, label_from='folder').records[:2]] == [0, 1]
    with pytest.raises(ValueError, match='testlist01.txt line 1'):
        index(tmp_path, label_from='list')
    with pytest.raises(FileNotFoundError, match='mine.txt'):
        index(tmp_path, test_list=str(tmp_path / 'mine.txt'))
