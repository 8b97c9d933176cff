"""Fine-tuning on MS-ASL1000 by the authors' code where it differs from the paper: branches averaged, 80
epochs; missing hands count in batch norm;
motion's last frame is zero, as in the pre-training st_consistency_d512_b64-150e-code_pretrain-all."""

_base_ = './st_consistency_d512_b64-60e_msasl1000.py'

_output = [
    dict(type='MirrorLeftHand'),
    dict(type='ZeroMissing', threshold=0.5),
    dict(type='Motion', zero='last'),
]

model = dict(
    data_preprocessor=dict(
        train_pipeline=[
            dict(type='MakeViews', transforms=_base_._train + _base_._input + _base_._augment + _output)
        ],
        test_pipeline=[dict(type='MakeViews', transforms=_base_._test + _base_._input + _output)],
    ),
    encoder=dict(masked=False),
    head=dict(fusion='mean'),
)
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[50, 70], gamma=0.1)]
train_cfg = dict(max_epochs=80)
