"""SignBERT's feasibility on STB (Table 1), full width: single frames, one hand, every token chosen, joints
masked; M = 7 (Table 1 has 3 to 11).
"""

_base_ = [
    '../_base_/models/signbert_pretrain.py',
    '../_base_/datasets/stb.py',
    '../_base_/schedules/signbert_60e.py',
    '../_base_/default_runtime.py',
]
# no flip: there is one hand
_crop = [dict(type='HandCrop', layout='sign_49'), dict(type='MirrorLeftHand')]
_mask = [
    dict(type='MaskHandTokens', ratio=1.0, operations=('joint',), max_joints=7, offset=0.25),
    dict(type='ZeroMissing'),
]
_augment = [dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), shift=0.05)]
model = dict(data_preprocessor=dict(train_pipeline=_augment + _crop + _mask, test_pipeline=_crop + _mask))
train_cfg = dict(_delete_=True, type='ResumableTrainLoop', max_epochs=60)
val_cfg = None
