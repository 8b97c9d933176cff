# The protocol inside the pool, to choose something: nothing of the test clips is read. Training clips are
# those before floor(0.5 n) of a gloss, tests are on those from there to floor(0.6 n).
_base_ = './words33.py'
title = 'words33, development split (nothing of the test set)'
_pretrain = dict(options={'train_dataloader.dataset.datasets.0.split': ['train']})
_recogniser = dict(
    options={'train_dataloader.dataset.split': ['train'], 'test_dataloader.dataset.split': 'val'}
)
_knn = dict(
    options={
        **_pretrain['options'],
        'test_dataloader': dict(dataset=dict(split='val')),
        'test_cfg': dict(gallery=dict(dataset=dict(split=['train']))),
    }
)
bases = dict(
    pretrain=_pretrain,
    finetune=_recogniser,
    linear=_recogniser,
    knn=_knn,
    st_pretrain=_pretrain,
    st_finetune=_recogniser,
    st_linear=_recogniser,
    st_knn=_knn,
    stgcn=_recogniser,
    logreg=_recogniser,
)
