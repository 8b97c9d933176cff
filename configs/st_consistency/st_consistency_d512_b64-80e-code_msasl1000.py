"""Fine-tuning on MS-ASL1000 by the authors' code where it differs from the paper: branches averaged, 80
epochs, crops of at least 64 frames, hands exchanged and no other augmentation; input and encoder are those of
the pre-training st_consistency_d512_b64-150e-code_pretrain-all.

Not copied: the authors train on train + val and take the epoch that is best on test.
"""

_base_ = './st_consistency_d512_b64-60e_msasl1000.py'

_input = _base_._input + [
    dict(type='MirrorLeftHand'),
]
_output = [
    dict(type='ZeroMissing', threshold=0.5, trunk_threshold=0.0),
    dict(type='Motion', zero='last', missing='jump'),
]
_train = [
    dict(type='TemporalCropResize', clip_len=64, ratio=(0.5, 1.0), min_frames=64),
    *_input,
    dict(type='RandomFlip', space='hands'),
]
_attention = dict(norm_eps=1e-12)

model = dict(
    data_preprocessor=dict(
        train_pipeline=[dict(type='MakeViews', transforms=_train + _output)],
        test_pipeline=[dict(type='MakeViews', transforms=_base_._test + _input + _output)],
    ),
    encoder=dict(
        masked=False,
        attend_missing=True,
        hands_apart=True,
        hand_backbone=_attention,
        trunk_backbone=_attention,
    ),
    head=dict(fusion='mean'),
)
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[50, 70], gamma=0.1)]
train_cfg = dict(max_epochs=80)
