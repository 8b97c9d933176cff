"""Pre-training of the small setting for Table 2: exact poses (no detector's faults), as HANDS17 has them, and
more passes than for recognition.

The rotation is the raw 3 x 3 of eq. 5, with which the hand model learns faster than with the 6-D one.
"""

_base_ = './pretrain.py'

_crop = [dict(type='HandCrop', layout='sign_49', location='shoulders'), dict(type='MirrorLeftHand')]
_mask = [
    dict(
        type='MaskHandTokens', ratio=0.5, operations=('joint', 'frame', 'identity'), max_joints=7, offset=0.25
    ),
    dict(type='ZeroMissing'),
]
model = dict(
    data_preprocessor=dict(
        train_pipeline=[dict(type='RandomFlip')] + _crop + _mask, test_pipeline=_crop + _mask
    ),
    decoder=dict(rotation='none'),
)
_clips = dict(
    store='data/synthetic_poses', prepare='python tools/analysis_tools/run_table.py table2 --on synthetic'
)
train_dataloader = dict(batch_size=16, dataset=_clips)
test_dataloader = dict(dataset=_clips)
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
train_cfg = dict(max_epochs=10)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', T_max=10, by_epoch=True, convert_to_iter_based=True),
]
