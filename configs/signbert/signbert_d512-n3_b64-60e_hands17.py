"""SignBERT's feasibility on HANDS17 (Table 2), full width: sequences of one hand, half of the tokens chosen,
joints and frames masked.
"""

_base_ = [
    '../_base_/models/signbert_pretrain.py',
    '../_base_/datasets/hands17.py',
    '../_base_/schedules/signbert_60e.py',
    '../_base_/default_runtime.py',
]
# no flip: there is one hand
_crop = [dict(type='HandCrop', layout='sign_49'), dict(type='MirrorLeftHand')]
_mask = [
    dict(
        type='MaskHandTokens', ratio=0.5, operations=('joint', 'frame', 'identity'), max_joints=7, offset=0.25
    ),
    dict(type='ZeroMissing'),
]
_augment = [dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), shift=0.05)]
model = dict(data_preprocessor=dict(train_pipeline=_augment + _crop + _mask, test_pipeline=_crop + _mask))
train_cfg = dict(_delete_=True, type='ResumableTrainLoop', max_epochs=60)
val_cfg = None
