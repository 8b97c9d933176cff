# Hard real signs, hands only: the training and validation clips of WLASL that configs/wlasl_hands names.
title = 'WLASL hands, val, 57 % of the official clips (d = 128)'
note = (
    'Hands alone, 16 frames a clip. Pre-training: 16 passes over 15,094 clips without labels (WLASL hands of '
    'train, and the '
    'clips that words33 pre-trains on). Tested on the 165, 446 and 2,253 clips of val after the last pass; '
    'the test clips '
    'were not at hand. They are not all of the official clips, so the figures do not compare with published '
    'ones.'
)
_subsets = (100, 300, 2000)


def _convert(subset):
    part = '' if subset == 2000 else f' --subset in{subset}'
    script = 'python tools/dataset_converters/npz_to_store.py wlasl_hands.npz'
    return f'{script} data/wlasl_hands{subset} --protocol recorded{part}'


def _data(subset, places):
    stores = {f'{place}.dataset.store': f'data/wlasl_hands{subset}' for place in places}
    return {**stores, **{f'{place}.dataset.prepare': _convert(subset) for place in places}}


_configs = 'configs/wlasl_hands/signbert_d128_'


def _recogniser_of(recipe):
    return dict(
        variants={f'WLASL{subset}': dict(config=f'{_configs}{recipe}wlasl{subset}.py') for subset in _subsets}
    )


_recogniser = _recogniser_of('paper_')
_pretrain = dict(
    config=f'{_configs}pretrain_wlasl.py',
    # the default; named, so that tables share the training
    by_type=dict(MaskHandTokens=dict(operations=('joint', 'frame', 'identity'))),
)
_gallery = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='collate_poses'),
    dataset=dict(
        type='PoseDataset',
        layout='hands_42',
        split='train',
        pipeline=[dict(type='UniformTemporalSample', clip_len=16, test_mode=True)],
    ),
)
bases = dict(
    pretrain=_pretrain,
    sequence=_pretrain,
    knn=dict(
        _pretrain,
        options={
            'test_cfg': dict(type='KNNTestLoop', gallery=_gallery),
            'test_evaluator': dict(type='SignAccuracy', topk=(1, 5)),
        },
        variants={
            f'WLASL{subset}': dict(options=_data(subset, ('test_dataloader', 'test_cfg.gallery')))
            for subset in _subsets
        },
    ),
    finetune=_recogniser,
    beyond=_recogniser_of(''),
    all_glosses=dict(config=f'{_configs}wlasl2000.py'),
    linear=dict(_recogniser, options={'model.frozen': ('embedder', 'backbone')}),
)
