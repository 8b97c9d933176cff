# WLASL at full width; pre-training on the training splits that are there, reconstruction scored on WLASL2000.
title = 'WLASL'
_pretrain = dict(config='configs/signbert/ablation/full/pretrain.py', options={'test_dataloader.dataset.store': 'data/wlasl2000'})
bases = dict(
    pretrain=_pretrain,
    sequence=_pretrain,
    finetune=dict(
        variants={f'WLASL{classes}': dict(config=f'configs/signbert/signbert_d512-n3_b64-60e_wlasl{classes}.py') for classes in (100, 300, 2000)}
    ),
)
