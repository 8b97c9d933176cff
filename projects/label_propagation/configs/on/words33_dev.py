# The same inside the pool, to choose something: nothing of the test clips is read.
_base_ = './words33.py'
title = 'words33, development split (nothing of the test set)'
_pretrain = dict(options={'train_dataloader.dataset.datasets.0.split': ['train']})
_test = {'test_dataloader.dataset.split': 'val'}
_parts = [f'train_dataloader.dataset.{part}.split' for part in ('labelled', 'unlabelled')]
bases = dict(
    pretrain=_pretrain,
    finetune=dict(options={'train_dataloader.dataset.split': ['train'], **_test}),
    semi=dict(options={**dict.fromkeys(_parts, ['train']), **_test}),
    propagate=dict(
        options={
            **_pretrain['options'],
            'test_dataloader': dict(dataset=dict(split='val')),
            'test_cfg': dict(gallery=dict(dataset=dict(split=['train']))),
        },
        variants={
            f'{shots}-shot': dict(options={'test_cfg.labelled': dict(split=['train'])})
            for shots in (1, 2, 5, 10)
        },
    ),
)
