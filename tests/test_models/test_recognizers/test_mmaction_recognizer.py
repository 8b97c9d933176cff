"""ST-GCN of mmaction2 through this house against mmaction2 alone."""

import copy
import pickle

import numpy as np
import pytest
import torch

from signbert_mm.apis import get_model, list_models
from signbert_mm.apis.model import _config
from signbert_mm.datasets import PoseDataset, PoseStore, PoseStoreWriter, collate_poses
from signbert_mm.layouts import get_layout, inward_edges
from signbert_mm.prepare.importers.pyskl import export_pyskl
from signbert_mm.registry import MODELS

pytest.importorskip('mmaction', reason='mmaction2 is not installed')

FRAMES, LAYOUT = 12, 'sam_slr_27'
MODEL = dict(
    type='RecognizerGCN',
    backbone=dict(
        type='STGCN',
        base_channels=12,
        num_stages=4,
        inflate_stages=[3],
        down_stages=[3],
        graph_cfg=dict(mode='stgcn_spatial'),
    ),
    cls_head=dict(type='GCNHead', num_classes=3, in_channels=24),
)
PLUS = dict(gcn_adaptive='init', gcn_with_res=True, tcn_type='mstcn', graph_cfg=dict(mode='spatial'))


def recognizer(layout=LAYOUT, stream='joint', **changes):
    torch.manual_seed(0)
    model = copy.deepcopy(MODEL)
    model['backbone'].update(changes)
    pipeline = [dict(type='SkeletonInput', layout=layout, stream=stream)]
    config = dict(type='MMActionRecognizer', model=model, layout=layout)
    built = MODELS.build(
        dict(
            config,
            data_preprocessor=dict(
                type='SignDataPreprocessor', train_pipeline=pipeline, test_pipeline=pipeline
            ),
        )
    )
    built.init_weights()
    return built


@pytest.fixture
def store(tmp_path):
    """Two clips of FRAMES frames with a missing joint each."""
    rng = np.random.RandomState(0)
    layout = get_layout('coco_wholebody_133')
    with PoseStoreWriter(str(tmp_path / 'store'), layout.name, ['a', 'b', 'c']) as writer:
        for clip in range(2):
            points = rng.uniform(10, 400, (FRAMES, 133, 3)).astype(np.float32)
            points[..., 2] = rng.uniform(0.3, 1, (FRAMES, 133))
            points[3, 95] = 0
            writer.add(points, clip, 'test', f'clip{clip}', width=640, height=480)
    return tmp_path / 'store'


def loaded(store, layout=LAYOUT):
    dataset = PoseDataset(
        str(store),
        'test',
        layout=layout,
        test_mode=True,
        drop_empty_frames=False,
        pipeline=[dict(type='CenterTemporalSample', clip_len=FRAMES)],
    )
    return collate_poses(dataset.__getitems__([0, 1]))


def mmaction_inputs(store, tmp_path):
    """What mmaction2's own pipeline makes of the exported pickle, cut to the layout's joints."""
    from mmaction.registry import TRANSFORMS

    export_pyskl(PoseStore(str(store)), str(tmp_path / 'poses.pkl'))
    with open(tmp_path / 'poses.pkl', 'rb') as file:
        annotations = pickle.load(file)['annotations']
    joints = get_layout('coco_wholebody_133').indices(get_layout(LAYOUT).joints)
    steps = [
        dict(type='PreNormalize2D'),
        dict(type='GenSkeFeat', dataset='coco', feats=['j']),
        dict(type='UniformSampleFrames', clip_len=FRAMES, num_clips=1, test_mode=True),
        dict(type='PoseDecode'),
        dict(type='FormatGCNInput', num_person=1),
    ]
    rows = []
    for annotation in annotations:
        results = {**annotation, 'keypoint': annotation['keypoint'][:, :, joints].astype(np.float32)}
        results['keypoint_score'] = annotation['keypoint_score'][:, :, joints].astype(np.float32)
        for step in steps:
            results = TRANSFORMS.build(dict(step, _scope_='mmaction'))(results)
        rows.append(torch.from_numpy(results['keypoint']))
    return torch.stack(rows)  # (B, clips, M, T, V, C)


@pytest.mark.parametrize('changes', [{}, PLUS], ids=['stgcn', 'stgcn++'])
def test_same_logits_as_mmaction2_alone(store, tmp_path, changes):
    ours = recognizer(**changes).eval()
    from mmaction.registry import MODELS as MMACTION

    layout = get_layout(LAYOUT)
    config = copy.deepcopy(MODEL)
    config['backbone'].update(changes)
    graph = dict(num_node=27, inward=list(inward_edges(layout)), center=layout.joints.index('nose'))
    config['backbone']['graph_cfg'] = dict(config['backbone']['graph_cfg'], layout=graph)
    theirs = MMACTION.build(dict(config, _scope_='mmaction')).eval()
    theirs.load_state_dict(ours.model.state_dict())
    with torch.no_grad():
        batch = ours.data_preprocessor(loaded(store))['inputs']
        expected, _ = theirs.extract_feat(mmaction_inputs(store, tmp_path), stage='head')
        torch.testing.assert_close(ours(batch), expected, atol=1e-5, rtol=0)
        samples = ours(batch, mode='predict')
    assert [sample.video_id for sample in samples] == ['clip0', 'clip1']
    torch.testing.assert_close(samples[1].pred_scores, expected[1].softmax(-1), atol=1e-5, rtol=0)
    assert int(samples[1].pred_label) == int(expected[1].argmax()) and int(samples[1].gt_label) == 1


@pytest.mark.parametrize('layout', ['sign_49', 'coco_wholebody_133'])
@pytest.mark.parametrize('stream', ['joint', 'bone', 'joint_motion', 'bone_motion'])
def test_training_step(store, layout, stream):
    model = recognizer(layout, stream).train()
    batch = model.data_preprocessor(loaded(store, layout), training=True)['inputs']
    loss = model(batch, mode='loss')['loss_cls']
    expected = torch.nn.functional.cross_entropy(model(batch).double(), batch['label'])
    torch.testing.assert_close(loss.double(), expected, atol=1e-5, rtol=0)
    loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_heads_label_smoothing_counts(store):
    model = recognizer()
    model.model.cls_head.label_smooth_eps = 0.1
    batch = model.data_preprocessor(loaded(store), training=True)['inputs']
    expected = torch.nn.functional.cross_entropy(model(batch).double(), batch['label'], label_smoothing=0.1)
    torch.testing.assert_close(model(batch, mode='loss')['loss_cls'].double(), expected, atol=1e-5, rtol=0)


def test_bad_input(store):
    model = recognizer()
    with pytest.raises(KeyError, match="the batch has no 'skeleton'"):
        model(loaded(store)['inputs'])
    batch = model.data_preprocessor(loaded(store))['inputs']
    with pytest.raises(ValueError, match='mode must be'):
        model(batch, mode='features')


@pytest.mark.parametrize(
    'name',
    ['stgcn_sign49-joint_b64-80e_slr500', 'stgcn_wholebody133-joint_b64-80e_wlasl2000', 'stgcn_c16_bone'],
)
def test_configs_of_p_build(name):
    model = get_model(name)
    joints = model.data_preprocessor.test_pipeline[-1].layout.num_joints
    assert (
        model.model.backbone.graph.A.shape[-1] == joints
        and model.model.cls_head.fc.out_features == model.cfg.model.model.cls_head.num_classes
    )


def test_every_config_of_fusion_is_whole():
    for name in [
        *list_models('stgcn'),
        *list_models('fusion_'),
        *list_models('i3d'),
        *list_models('r3d'),
        *list_models('tsm'),
        *list_models('slowfast'),
    ]:
        cfg = _config(name)
        if name.startswith('fusion_'):
            assert {part.config for part in cfg.model.parts} <= set(list_models()) and len(
                cfg.model.parts
            ) == 2
        else:
            data = {cfg[f'{part}_dataloader'].dataset.type for part in ('train', 'test')}
            assert data == {'PoseDataset' if name.startswith('stgcn') else 'SignVideoDataset'}
            assert cfg.get('val_cfg') is None or cfg.val_dataloader.dataset.split == 'val'
