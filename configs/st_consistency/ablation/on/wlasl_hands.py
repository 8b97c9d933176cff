# Hard real signs, hands only: the training and validation clips of WLASL that configs/wlasl_hands names.
title = 'WLASL hands, val, 57 % of the official clips (d = 64)'
note = (
    'Hands alone, since these clips show no trunk: the contrast and the transfer between joint and motion, '
    'without the consistency of hand and trunk. 16 frames a clip. Pre-training: 16 passes over 15,094 clips '
    'without labels (WLASL hands of train, and the clips that words33 pre-trains on). Tested on val after '
    'the last pass. They are not all of the official clips, so the figures do not compare with published '
    'ones.'
)
_passes = {100: 100, 300: 50}


def _convert(subset):
    part = '' if subset == 2000 else f' --subset in{subset}'
    script = 'python tools/dataset_converters/npz_to_store.py wlasl_hands.npz'
    return f'{script} data/wlasl_hands{subset} --protocol recorded{part}'


def _data(subset, places):
    stores = {f'{place}.dataset.store': f'data/wlasl_hands{subset}' for place in places}
    return {**stores, **{f'{place}.dataset.prepare': _convert(subset) for place in places}}


def _frames(*pipelines):
    """16 frames a clip, of up to 64 that are read."""
    return {
        f'model.data_preprocessor.{pipeline}.0.transforms.0.{key}': 16
        for pipeline in pipelines
        for key in ('clip_len', 'min_frames')
    }


_hands = {
    'model.encoder.parts': ('hand',),
    **_frames('train_pipeline', 'test_pipeline'),
}
_clips = dict(
    type='PoseDataset',
    layout='sign_49',
    pipeline=[dict(type='UniformTemporalSample', clip_len=64, test_mode=True, repeat=False)],
)


def _in_order(**clips):
    return dict(
        batch_size=64,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='collate_poses'),
        dataset=dict(_clips, **clips),
    )


_recogniser = dict(
    config='configs/words33/st_consistency_d64_finetune.py',
    options={
        **_hands,
        'train_dataloader.batch_size': 64,
        'train_dataloader.dataset.split': 'train',
        'train_dataloader.dataset.few_shot': None,
        'train_dataloader.dataset.pipeline': _clips['pipeline'],
        'test_dataloader.batch_size': 64,
        'test_dataloader.dataset.split': 'val',
        'test_dataloader.dataset.pipeline': _clips['pipeline'],
        'test_evaluator.exclude': [],
        'param_scheduler.0.end': 60,
        'param_scheduler.1.T_max': '$train_cfg.max_epochs',
        'default_hooks.checkpoint.interval': 10,
    },
    variants={
        f'WLASL{subset}': dict(
            options={
                **_data(subset, ('train_dataloader', 'test_dataloader')),
                'model.head.num_classes': subset,
                'train_cfg.max_epochs': _passes[subset],
            }
        )
        for subset in _passes
    },
)
_pretrain = dict(
    config='configs/st_consistency/st_consistency_d64_b32_pretrain-words33.py',
    options={
        **_hands,
        'model.parts': ('hand',),
        'model.loss_consistency': None,
        'train_dataloader.dataset.datasets': [
            dict(_clips, store='data/wlasl_hands2000', prepare=_convert(2000), split='train'),
            dict(_clips, store='data/words33', split=['train', 'val']),
            dict(_clips, store='data/letters28'),
            dict(_clips, store='data/words11'),
        ],
        'custom_hooks': [],
        'train_cfg.max_epochs': 16,
        'param_scheduler.1.T_max': 16,
        'default_hooks.checkpoint': dict(interval=1, max_keep_ckpts=1),
        'test_dataloader': _in_order(split='val', test_mode=True),
        'test_cfg': dict(_delete_=True, type='KNNTestLoop', gallery=_in_order(split='train')),
        'test_evaluator': dict(type='SignAccuracy', topk=(1, 5)),
    },
)
bases = dict(
    pretrain=_pretrain,
    knn=dict(
        _pretrain,
        variants={
            f'WLASL{subset}': dict(options=_data(subset, ('test_dataloader', 'test_cfg.gallery')))
            for subset in _passes
        },
    ),
    finetune=_recogniser,
    linear=dict(_recogniser, options={**_recogniser['options'], 'model.frozen': True}),
)
