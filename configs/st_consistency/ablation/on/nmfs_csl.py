# NMFs-CSL at full width; pre-training on the training splits that are there.
title = 'NMFs-CSL'
bases = dict(
    pretrain=dict(
        config='configs/st_consistency/ablation/full/pretrain.py',
        # as in _base_/datasets/nmfs_csl.py
        options={'test_evaluator.subsets': dict(confusing=range(610), normal=range(610, 1067))},
        variants={
            'NMFs-CSL': dict(
                options={
                    f'{part}.dataset.store': 'data/nmfs_csl'
                    for part in ('test_dataloader', 'test_cfg.gallery')
                }
            )
        },
    ),
    finetune=dict(
        variants={'NMFs-CSL': dict(config='configs/st_consistency/st_consistency_d512_b64-60e_nmfs_csl.py')}
    ),
    linear=dict(
        variants={
            'NMFs-CSL': dict(config='configs/st_consistency/st_consistency_d512_b64-linear-70e_nmfs_csl.py')
        }
    ),
    semi=dict(
        options={'train_dataloader.dataset.data_ratio.seed': '$seed'},
        variants={
            'NMFs-CSL': dict(config='configs/st_consistency/st_consistency_d512_b64-semi-60e_nmfs_csl.py')
        },
    ),
    rgb=dict(start='', variants={'NMFs-CSL': dict(config='configs/fusion/r3d-r50_32x2-b8-50e_nmfs_csl.py')}),
)
