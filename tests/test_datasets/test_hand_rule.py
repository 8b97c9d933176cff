"""One rule for the crop, for stores and for inference."""

import numpy as np
import pytest
import torch
from pose_store_fixtures import keypoints

from signbert_mm.apis import PoseClip
from signbert_mm.datasets import PoseDataset, PoseStore, PoseStoreWriter
from signbert_mm.datasets.hand_rule import arm_joints, hands_found
from signbert_mm.datasets.transforms import HandCrop
from signbert_mm.draws import Draws
from signbert_mm.layouts import get_layout


def write(folder, values, layout='sign_49', **options) -> PoseStore:
    with PoseStoreWriter(folder, layout, ['a'], **options) as writer:
        writer.add(values, 0, 'train', 'v', width=640, height=480, fps=25)
        return writer.close()


def test_by_hand():
    scores = np.zeros((5, 49))
    scores[0, :10] = 0.11  # ten joints of the left hand
    scores[1, :9] = 1  # nine
    scores[1, 21:42] = 0.1  # all of the right one, none above the threshold
    scores[2, [41, 46, 47, 48]] = 0.2, 0.81, 0.81, 0.81  # one joint, and the right arm
    scores[3, [41, 46, 47, 48]] = 0.2, 0.81, 0.8, 0.81
    scores[4, [46, 47, 48]] = 1
    layout = get_layout('sign_49')
    assert [layout.joints[joint] for joint in (46, 47, 48)] == [
        'right_shoulder',
        'right_elbow',
        'right_wrist',
    ]
    assert hands_found(scores, layout).tolist() == [
        [True, False],
        [False, False],
        [False, True],
        [False, False],
        [False, False],
    ]
    assert hands_found(scores, layout, 'any').tolist() == [
        [True, False],
        [True, True],
        [False, True],
        [False, True],
        [False, False],
    ]


def test_a_layout_with_some_joints_of_a_hand():
    layout, scores = get_layout('sam_slr_27'), np.zeros((3, 27))
    scores[0, 7:12] = 0.2  # five of ten joints of the left hand
    scores[1, 17:21] = 1  # four of the right one
    scores[2, [17, *layout.indices(['right_shoulder', 'right_elbow', 'right_wrist'])]] = 1
    assert hands_found(scores, layout).tolist() == [[True, False], [False, False], [False, True]]
    assert hands_found(scores, layout, 'any').tolist() == [[True, False], [False, True], [False, True]]


@pytest.mark.parametrize('layout', ['sign_49', 'hands_42', 'coco_wholebody_133'])
def test_the_crop_finds_the_same(layout, tmp_path):
    joints, random = get_layout(layout).num_joints, np.random.RandomState(0)
    # from all found to hardly any
    scores = random.uniform(0, 1, (400, joints)) ** random.uniform(0.1, 8, (400, 1))
    scores[:, random.permutation(joints)[: joints // 3]] *= random.uniform(size=(400, 1)) < 0.5
    for arm in arm_joints(get_layout(layout)) or ():
        scores[np.ix_(random.uniform(size=400) < 0.5, arm)] = 0.9
    values = np.concatenate([random.uniform(1, 400, (400, joints, 2)), scores[..., None]], -1).astype(
        np.float32
    )
    for dtype in ('float32', 'int16'):
        store = write(tmp_path / dtype, values, layout, dtype=dtype)
        points, stored = store.clip(0)
        batch = dict(
            keypoints=torch.from_numpy(points)[None],
            scores=torch.from_numpy(stored)[None],
            image_size=torch.tensor([[640.0, 480.0]]),
            length=torch.tensor([400]),
        )
        found = HandCrop(layout)(batch, Draws(0, 0, torch.tensor([0])))['hand_valid'][0].numpy()
        assert 0.2 < found.mean() < 0.9 and (found != hands_found(stored, store.layout, 'any')).any()
        assert np.array_equal(store.hands_found, found) and store.hand_rule == 'box'
        assert np.array_equal(PoseClip.make(points, layout, (640, 480), stored).hands_found(), found)


def test_an_extractor_that_scores_every_joint(tmp_path):
    """Hands out of view have low scores and not 0; frames without a box are left out nevertheless."""
    values = np.ones((60, 133, 3), np.float32) * [300, 200, 0.9]
    values[:40, 91:, 2] = np.random.RandomState(0).uniform(0.02, 0.09, (40, 42))
    store = write(tmp_path / 's', values, 'coco_wholebody_133')
    inputs = PoseDataset(
        store.folder, 'train', pipeline=[dict(type='CenterTemporalSample', clip_len=32)]
    ).__getitems__([0])['inputs']
    assert inputs['length'].tolist() == [20] and inputs['frames'][0, :20].tolist() == list(range(40, 60))
    old = write(tmp_path / 'old', values, 'coco_wholebody_133', hand_rule='any')
    assert (
        old.hands_found.all()
        and len(PoseDataset(old.folder, 'train').__getitems__([0])['inputs']['frames'][0]) == 60
    )


def test_unknown_rules(tmp_path):
    with pytest.raises(ValueError, match="hand_rule 'all': choose one of box, any"):
        write(tmp_path / 's', keypoints(2), hand_rule='all')
    store = write(tmp_path / 's', keypoints(2))
    path = tmp_path / 's' / 'meta.json'
    path.write_text(path.read_text().replace('"hand_rule": "box"', '"hand_rule": "newer"'))
    with pytest.raises(ValueError, match="hand_rule is 'newer', this version knows box, any"):
        PoseStore(store.folder)
