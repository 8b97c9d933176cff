# Few labels on hard real signs: k training clips a gloss of WLASL300's hands.
# A gloss has 1 to 12 of them, 6.3 in the mean.
title = 'WLASL300 hands, k labelled clips a gloss, val (d = 128)'
note = (
    'Hands alone, 16 frames a clip. Pre-training as the setting wlasl_hands. The seed draws which clips are '
    'labelled; a gloss with fewer than k gives all it has. About 900 steps. Tested on the 446 clips of val '
    'after the last pass. kNN: k neighbours.'
)
_STORE = 'data/wlasl_hands300'
_PREPARE = (
    'python tools/dataset_converters/npz_to_store.py wlasl_hands.npz '
    f'{_STORE} --protocol recorded --subset in300'
)
# passes over the labelled clips
_passes = {1: 180, 3: 60, 5: 40}


def _few(shots):
    return dict(shots=shots, seed='$seed')


def _recognise(shots):
    return {
        'train_dataloader.dataset.few_shot': dict(_delete_=True, **_few(shots)),
        'train_cfg.max_epochs': _passes[shots],
    }


def _neighbours(shots):
    gallery = dict(
        batch_size=64,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='collate_poses'),
        dataset=dict(
            type='PoseDataset',
            layout='hands_42',
            store=_STORE,
            split='train',
            few_shot=_few(shots),
            pipeline=[dict(type='UniformTemporalSample', clip_len=16, test_mode=True)],
        ),
    )
    return {
        'test_dataloader.dataset.store': _STORE,
        'test_dataloader.dataset.prepare': _PREPARE,
        'test_cfg': dict(type='KNNTestLoop', gallery=gallery, k=shots),
    }


_recogniser = dict(
    config='configs/wlasl_hands/signbert_d128_paper_wlasl300.py',
    options={
        'param_scheduler.1.T_max': '$train_cfg.max_epochs',
        'default_hooks.checkpoint.interval': '$train_cfg.max_epochs',
    },
    variants={f'{shots}-shot': dict(options=_recognise(shots)) for shots in _passes},
)
_pretrain = dict(
    config='configs/wlasl_hands/signbert_d128_pretrain_wlasl.py',
    by_type=dict(MaskHandTokens=dict(operations=('joint', 'frame', 'identity'))),
)
bases = dict(
    pretrain=_pretrain,
    knn=dict(
        _pretrain,
        options={'test_evaluator': dict(type='SignAccuracy', topk=(1, 5))},
        variants={f'{shots}-shot': dict(options=_neighbours(shots)) for shots in _passes},
    ),
    finetune=_recogniser,
    linear=dict(_recogniser, options={**_recogniser['options'], 'model.frozen': ('embedder', 'backbone')}),
)
