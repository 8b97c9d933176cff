"""P on words33: mmaction2's ST-GCN, narrow, over the bones of hands and trunk (49 joints), from scratch.

The table words33 sets the shots, seeds and lengths.
"""

_base_ = './signbert_d128_finetune.py'

_augment = [dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), stretch=0.15, shear=0.15, shift=0.08)]
_skeleton = [dict(type='SkeletonInput', layout='sign_49', stream='bone', zero_missing=True)]
model = dict(
    _delete_=True,
    type='MMActionRecognizer',
    data_preprocessor=dict(
        type='SignDataPreprocessor', train_pipeline=_augment + _skeleton, test_pipeline=_skeleton
    ),
    layout='sign_49',
    model=dict(
        type='RecognizerGCN',
        backbone=dict(
            type='STGCN',
            base_channels=16,
            num_stages=4,
            inflate_stages=[3],
            down_stages=[3],
            graph_cfg=dict(mode='stgcn_spatial'),
        ),
        cls_head=dict(type='GCNHead', num_classes=33, in_channels=32, dropout=0.2, label_smooth_eps=0.1),
    ),
)
_whole = dict(dataset=dict(layout='sign_49', drop_empty_frames=False))
train_dataloader = _whole
test_dataloader = _whole
optim_wrapper = dict(optimizer=dict(lr=4e-3))
