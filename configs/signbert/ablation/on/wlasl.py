# WLASL at full width; pre-training on the training splits that are there, reconstruction scored on WLASL2000.
title = 'WLASL'


def _subset(classes):
    store = f'data/wlasl{classes}'
    prepare = f'python tools/dataset_converters/wlasl_to_store.py WLASL {store} --subset {classes}'
    options = {f'{part}_dataloader.dataset.{key}': value for part in ('train', 'test') for key, value in (('store', store), ('prepare', prepare))}
    return dict(options=dict(options, **{'model.head.num_classes': classes}))


_pretrain = dict(config='configs/signbert/ablation/full/pretrain.py', options={'test_dataloader.dataset.store': 'data/wlasl2000'})
bases = dict(
    pretrain=_pretrain,
    sequence=_pretrain,
    finetune=dict(
        config='configs/signbert/signbert_d512-n3_b64-60e_wlasl2000.py',
        variants=dict(WLASL100=_subset(100), WLASL300=_subset(300), WLASL2000=_subset(2000)),
    ),
)
