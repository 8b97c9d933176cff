# NMFs-CSL at full width; pre-training on the training splits that are there.
title = 'NMFs-CSL'
_pretrain = dict(
    config='configs/signbert/ablation/full/pretrain.py',
    options={'test_dataloader.dataset.store': 'data/nmfs_csl'},
)


def _variant(network, **more):
    return dict(variants={'NMFs-CSL': dict(config=f'configs/fusion/{network}_nmfs_csl.py')}, **more)


bases = dict(
    pretrain=_pretrain,
    sequence=_pretrain,
    finetune=dict(
        variants={'NMFs-CSL': dict(config='configs/signbert/signbert_d512-n3_b64-60e_nmfs_csl.py')}
    ),
    skeleton=_variant('stgcn_sign49-joint_b64-80e'),
    skeleton133=_variant('stgcn_wholebody133-joint_b64-80e'),
    rgb=_variant('r3d-r50_32x2-b8-50e', start=''),
    i3d=_variant('i3d-r50_32x2-b8-50e', start=''),
    tsm=_variant('tsm-r50_8seg-b8-50e', start=''),
    slowfast=_variant('slowfast-r50_32x2-b8-50e', start=''),
)
