# MSASL at full width; pre-training on the training splits that are there, reconstruction scored on MSASL1000.
title = 'MSASL'


def _subset(classes):
    store = f'data/msasl{classes}'
    prepare = f'python tools/dataset_converters/msasl_to_store.py MSASL {store} --subset {classes}'
    options = {f'{part}_dataloader.dataset.{key}': value for part in ('train', 'test') for key, value in (('store', store), ('prepare', prepare))}
    return dict(options=dict(options, **{'model.head.num_classes': classes}))


_pretrain = dict(config='configs/signbert/ablation/full/pretrain.py', options={'test_dataloader.dataset.store': 'data/msasl1000'})
bases = dict(
    pretrain=_pretrain,
    sequence=_pretrain,
    finetune=dict(
        config='configs/signbert/signbert_d512-n3_b64-60e_msasl1000.py',
        variants=dict(MSASL100=_subset(100), MSASL200=_subset(200), MSASL1000=_subset(1000)),
    ),
)
