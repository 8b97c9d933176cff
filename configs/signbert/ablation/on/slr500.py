# SLR500 at full width; pre-training on the training splits that are there.
title = 'SLR500'
_pretrain = dict(
    config='configs/signbert/ablation/full/pretrain.py',
    options={'test_dataloader.dataset.store': 'data/slr500'},
)
bases = dict(
    pretrain=_pretrain,
    sequence=_pretrain,
    finetune=dict(variants={'SLR500': dict(config='configs/signbert/signbert_d512-n3_b64-60e_slr500.py')}),
    skeleton=dict(variants={'SLR500': dict(config='configs/fusion/stgcn_sign49-joint_b64-80e_slr500.py')}),
    skeleton133=dict(
        variants={'SLR500': dict(config='configs/fusion/stgcn_wholebody133-joint_b64-80e_slr500.py')}
    ),
    rgb=dict(start='', variants={'SLR500': dict(config='configs/fusion/r3d-r50_32x2-b8-50e_slr500.py')}),
)
