"""Places of glosses, filled with labelled clips and with clips that were given a label."""

import numpy as np
import pytest
import torch
from pose_store_fixtures import write_store

from projects.label_propagation.label_propagation import PseudoLabelDataset
from signbert_mm.datasets import PoseDataset

TRAIN = [dict(type='UniformTemporalSample', clip_len=4)]
CLEAN = [dict(type='UniformTemporalSample', clip_len=4, test_mode=True)]


def configs(folder, **few_shot):
    clips = dict(type='PoseDataset', store=str(folder), split='train', pipeline=TRAIN)
    return dict(
        labelled=dict(clips, few_shot=dict(shots=1, seed=0, **few_shot)),
        unlabelled=clips,
        per_class=4,
        clean_pipeline=CLEAN,
    )


@pytest.fixture
def folder(tmp_path):
    """21 clips of three glosses in the split; every seventh clip is of another."""
    splits = ['test' if place % 7 == 6 else 'train' for place in range(24)]
    write_store(tmp_path / 'store', [20 + place for place in range(24)], splits)
    return tmp_path / 'store'


def test_the_rest_of_the_split_comes_without_labels(folder):
    data = PseudoLabelDataset(**configs(folder))
    split = PoseDataset(folder, 'train')
    assert len(data.labelled) == 3 and len(data.unlabelled) == len(split) - 3
    assert sorted([*data.labelled.clips, *data.unlabelled.clips]) == split.clips.tolist()
    assert data.known_labels.tolist() == data.labelled.labels.tolist() + [-1] * len(data.unlabelled)
    clean = data.clean.__getitems__(range(len(data.clean)))['inputs']
    assert (clean['label'] == -1).all()
    clips = [*data.labelled.clips, *data.unlabelled.clips]
    for row, clip in enumerate(clips):
        points, _ = data.labelled.store.clip(clip)
        np.testing.assert_array_equal(clean['keypoints'][row], points[clean['frames'][row]])


def test_until_labels_are_given_the_labelled_clips_fill_the_places(folder):
    data = PseudoLabelDataset(**configs(folder))
    assert len(data) == 12 and data.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    inputs = data.__getitems__(range(12))['inputs']
    assert inputs['label'].tolist() == data.labels.tolist() and inputs['index'].tolist() == list(range(12))
    shown = [PoseDataset(folder, layout='sign_49').store.clip(clip)[0] for clip in data.labelled.clips]
    own = {int(label): shown[place] for place, label in enumerate(data.labelled.labels)}
    for row in range(12):
        np.testing.assert_array_equal(inputs['keypoints'][row], own[row // 4][inputs['frames'][row]])
    # The same clip, with draws of its own.
    assert not torch.equal(inputs['frames'][0], inputs['frames'][1])
    # So has the next time of a place in the epoch.
    again = data.__getitems__([1, 13])['inputs']
    assert again['index'].tolist() == [1, 13] and again['label'].tolist() == [0, 0]
    assert not torch.equal(again['frames'][0], again['frames'][1])
    item = data[5]['inputs']
    assert all(torch.equal(item[name], inputs[name][5]) for name in inputs)


def test_given_labels(folder):
    data = PseudoLabelDataset(**configs(folder))
    given = torch.full((len(data.unlabelled),), -1)
    # More clips than places.
    given[[0, 1, 2, 3, 4, 5]] = 2
    given[[7]] = 0
    assert data.set_pseudo_labels(given) == 7
    seen = []
    for epoch in range(12):
        data.set_epoch(epoch)
        members = data._members.view(3, 4).tolist()
        own = [data.labelled.labels.tolist().index(label) for label in range(3)]
        # Three labelled clips, then the seventh of the others.
        assert members[0] == [own[0], 10, own[0], 10]
        assert members[1] == [own[1]] * 4
        assert (
            members[2][0] == own[2] and set(members[2][1:]) <= set(range(3, 9)) and len(set(members[2])) == 4
        )
        seen.append(members[2])
    assert {place for members in seen for place in members[1:]} == set(range(3, 9))
    again = PseudoLabelDataset(**configs(folder))
    again.set_pseudo_labels(given)
    again.set_epoch(3)
    assert again._members.view(3, 4).tolist()[2] == seen[3]
    again.set_seed(5)
    again.set_epoch(3)
    assert again._members.view(3, 4).tolist()[2] != seen[3]
    assert again[8]['inputs']['label'] == 2


def test_labels_of_the_unlabelled_are_not_read(folder, tmp_path):
    """Another store with the same poses, whose other clips have other labels, gives the same batches."""
    first = PseudoLabelDataset(**configs(folder))
    wrong = configs(folder)
    second = PseudoLabelDataset(**wrong)
    second.unlabelled.store.label = np.roll(second.unlabelled.store.label, 1)
    second.unlabelled.labels = np.roll(second.unlabelled.labels, 1)
    given = torch.arange(len(first.unlabelled)) % 3
    for data in (first, second):
        data.set_pseudo_labels(given)
    one, other = (data.__getitems__(range(12))['inputs'] for data in (first, second))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_refuses(folder, tmp_path):
    with pytest.raises(ValueError, match='more labelled clips than per_class=4 places'):
        PseudoLabelDataset(
            **dict(
                configs(folder), labelled=dict(configs(folder)['labelled'], few_shot=dict(shots=5, seed=0))
            )
        )
    with pytest.raises(ValueError, match=r"1 glosses have no labelled clip, the first: \['c'\]"):
        PseudoLabelDataset(
            **dict(configs(folder), labelled=dict(configs(folder)['labelled'], classes=['a', 'b']))
        )
    with pytest.raises(ValueError, match='no clips beside the labelled ones'):
        PseudoLabelDataset(**dict(configs(folder), labelled=configs(folder)['unlabelled'], per_class=20))
    with pytest.raises(ValueError, match='one and the same clip_len; found 4 and 5'):
        other = dict(configs(folder)['unlabelled'], pipeline=[dict(type='UniformTemporalSample', clip_len=5)])
        PseudoLabelDataset(**dict(configs(folder), unlabelled=other))
    data = PseudoLabelDataset(**configs(folder))
    with pytest.raises(ValueError, match='must be of the 18 unlabelled clips and below 3; the largest is 3'):
        data.set_pseudo_labels(torch.full((18,), 3))
