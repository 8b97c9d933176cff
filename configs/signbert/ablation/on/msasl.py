# MS-ASL at full width; pre-training on the training splits that are there, reconstruction scored on MSASL1000.
title = 'MS-ASL'
_pretrain = dict(config='configs/signbert/ablation/full/pretrain.py', options={'test_dataloader.dataset.store': 'data/msasl1000'})
bases = dict(
    pretrain=_pretrain,
    sequence=_pretrain,
    finetune=dict(
        variants={f'MSASL{classes}': dict(config=f'configs/signbert/signbert_d512-n3_b64-60e_msasl{classes}.py') for classes in (100, 200, 1000)}
    ),
)
