# SLR500 at full width; pre-training on the training splits that are there.
title = 'SLR500'
bases = dict(
    pretrain=dict(
        config='configs/st_consistency/ablation/full/pretrain.py',
        variants={
            'SLR500': dict(
                options={
                    f'{part}.dataset.store': 'data/slr500' for part in ('test_dataloader', 'test_cfg.gallery')
                }
            )
        },
    ),
    finetune=dict(
        variants={'SLR500': dict(config='configs/st_consistency/st_consistency_d512_b64-60e_slr500.py')}
    ),
    linear=dict(
        variants={
            'SLR500': dict(config='configs/st_consistency/st_consistency_d512_b64-linear-70e_slr500.py')
        }
    ),
    semi=dict(
        options={'train_dataloader.dataset.data_ratio.seed': '$seed'},
        variants={'SLR500': dict(config='configs/st_consistency/st_consistency_d512_b64-semi-60e_slr500.py')},
    ),
    rgb=dict(start='', variants={'SLR500': dict(config='configs/fusion/r3d-r50_32x2-b8-50e_slr500.py')}),
)
