"""P, narrow, on the demo's synthetic signs: the clips, schedule and augmentation of configs/demo, mmaction2's
ST-GCN over 49 joints.
"""

_base_ = '../demo/signbert_d128_finetune_synthetic.py'

_skeleton = [dict(type='SkeletonInput', layout='sign_49', stream='joint', zero_missing=True)]
model = dict(
    _delete_=True,
    type='MMActionRecognizer',
    data_preprocessor=dict(
        type='SignDataPreprocessor', train_pipeline=_base_._augment + _skeleton, test_pipeline=_skeleton
    ),
    layout='sign_49',
    model=dict(
        type='RecognizerGCN',
        backbone=dict(
            type='STGCN',
            base_channels=24,
            num_stages=6,
            inflate_stages=[3, 5],
            down_stages=[3, 5],
            graph_cfg=dict(mode='stgcn_spatial'),
        ),
        cls_head=dict(type='GCNHead', num_classes=30, in_channels=96, dropout=0.2),
    ),
)
train_dataloader = dict(dataset=dict(drop_empty_frames=False))
test_dataloader = dict(dataset=dict(drop_empty_frames=False))
