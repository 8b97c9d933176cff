# NMFs-CSL at full width; pre-training on the training splits that are there.
title = 'NMFs-CSL'
_pretrain = dict(
    config='configs/signbert/ablation/full/pretrain.py',
    options={'test_dataloader.dataset.store': 'data/nmfs_csl'},
)
bases = dict(
    pretrain=_pretrain,
    sequence=_pretrain,
    finetune=dict(
        variants={'NMFs-CSL': dict(config='configs/signbert/signbert_d512-n3_b64-60e_nmfs_csl.py')}
    ),
    skeleton=dict(
        variants={'NMFs-CSL': dict(config='configs/fusion/stgcn_sign49-joint_b64-80e_nmfs_csl.py')}
    ),
    rgb=dict(start='', variants={'NMFs-CSL': dict(config='configs/fusion/r3d-r50_32x2-b8-50e_nmfs_csl.py')}),
)
