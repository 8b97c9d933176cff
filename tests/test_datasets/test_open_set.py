import numpy as np
import pytest
import torch
from pose_store_fixtures import write_store

from signbert_mm.datasets import OpenSetDataset, other_glosses

SAMPLED = [dict(type='UniformTemporalSample', clip_len=4)]
ALL = tuple('abcdefghij')


@pytest.fixture
def configs(tmp_path):
    write_store(tmp_path / 'known', (9, 8, 7, 6), glosses=('b', 'a'))
    write_store(tmp_path / 'all', (6,) * 20, glosses=ALL)
    return [
        dict(type='PoseDataset', store=str(tmp_path / name), pipeline=SAMPLED) for name in ('known', 'all')
    ]


def test_parts_are_the_same_in_any_data_set():
    parts = [other_glosses(ALL, 'ab', part, 2) for part in (0, 1)]
    assert sorted(parts[0] + parts[1]) == list('cdefghij') and not set(parts[0]) & set(parts[1])
    fewer = [other_glosses('jiha', 'ab', part, 2) for part in (0, 1)]
    assert all(set(few) <= set(part) for few, part in zip(fewer, parts))
    assert other_glosses(ALL, 'ab') == list('cdefghij')
    with pytest.raises(ValueError, match='part 2 of 2; give 0 to 1'):
        other_glosses(ALL, 'ab', 2, 2)
    with pytest.raises(ValueError, match='is empty: 2 glosses there, 2 in the vocabulary'):
        other_glosses('ab', 'ba')


def test_labels_and_clips(configs):
    data = OpenSetDataset(*configs, share=0.75, no_sign=0.3)
    # 4 known clips are a quarter
    assert len(data) == 16 and data.glosses == ['b', 'a'] and data.metainfo['glosses'] == ['b', 'a']
    assert data.others == other_glosses(ALL, 'ab', 0, 2) and data.num_unknown == len(data.others) + 1
    assert data.labels[:4].tolist() == data.known.labels.tolist() and (data.labels[4:] == 2).all()
    labels = []
    for epoch in range(6):
        data.set_epoch(epoch)
        inputs = data.__getitems__(range(16))['inputs']
        assert inputs['label'][:4].tolist() == data.known.labels.tolist()
        assert inputs['index'][:4].tolist() == [0, 1, 2, 3] and (inputs['epoch'] == epoch).all()
        assert sorted(inputs['index'].tolist()) == list(range(16))
        labels += inputs['label'][4:].tolist()
    # every other gloss, and no sign as the last label
    assert set(labels) == set(range(2, 2 + data.num_unknown))
    assert 0.1 < np.mean(np.array(labels) == 1 + data.num_unknown) < 0.5


def test_a_clip_of_another_gloss_has_its_label(configs):
    data = OpenSetDataset(*configs, no_sign=0.0)
    inputs = data.__getitems__([4, 5, 6, 7])['inputs']
    for points, label, frames in zip(inputs['keypoints'], inputs['label'], inputs['frames']):
        gloss = data.others[int(label) - 2]
        store = data.unknown.store
        same = [
            np.array_equal(store.clip(place)[0][frames.numpy()], points.numpy())
            for place in np.flatnonzero(store.label == store.glosses.index(gloss))
        ]
        assert any(same)


def test_a_batch_depends_on_its_clips_alone(configs):
    data = OpenSetDataset(*configs)
    data.set_seed(5)
    whole, part = (data.__getitems__(rows)['inputs'] for rows in (range(8), [7, 2, 5]))
    for index, points in zip(part['index'].tolist(), part['keypoints']):
        assert torch.equal(points, whole['keypoints'][whole['index'].tolist().index(index)])


def test_refusals(configs):
    with pytest.raises(ValueError, match='0 < share < 1 and 0 <= no_sign < 1 are needed, got 1 and 0.2'):
        OpenSetDataset(*configs, share=1)
    with pytest.raises(ValueError, match=r'one and the same clip_len, found \[4, None\]'):
        OpenSetDataset(configs[0], dict(configs[1], pipeline=[]))
    with pytest.raises(ValueError, match=r'one and the same clip_len, found \[4, 5\]'):
        OpenSetDataset(configs[0], dict(configs[1], pipeline=[dict(SAMPLED[0], clip_len=5)]))


def test_the_next_time_of_a_clip_in_an_epoch(configs):
    data = OpenSetDataset(*configs, share=0.5)
    count = len(data)
    inputs = data.__getitems__([1, 1 + count, 7 + 3 * count])['inputs']
    assert sorted(inputs['index'].tolist()) == [1, 1 + count, 7 + 3 * count]
    # Clips of the vocabulary come first.
    assert inputs['label'][:2].tolist() == [int(data.known.labels[1])] * 2 and inputs['label'][2] >= 2
