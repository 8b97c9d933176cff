# Polish signs in three recording sessions: trained on k clips a gloss of one session, tested on the two
# others.
title = 'PSL37, hands only (d = 128)'
note = (
    'Hands alone, 16 frames a clip; 37 glosses, 3,804 clips, three recording sessions. The encoder is that '
    'of the setting '
    'wlasl_hands: no Polish sign is in its pre-training. The seed draws which clips are labelled.'
)
_PREPARE = 'python tools/dataset_converters/npz_to_store.py psl37.npz data/psl37 --protocol sessions'
# passes over the labelled clips: about 500 steps of one clip a gloss
_passes = {1: 500, 5: 100}


def _data(place, splits):
    return {
        f'{place}.dataset.store': 'data/psl37',
        f'{place}.dataset.prepare': _PREPARE,
        f'{place}.dataset.split': splits,
    }


def _others(session):
    return [f'session{other}' for other in range(3) if other != session]


def _sessions(session, shots):
    return {
        **_data('train_dataloader', f'session{session}'),
        **_data('test_dataloader', _others(session)),
        'train_dataloader.batch_size': 37,
        'train_dataloader.dataset.few_shot': dict(_delete_=True, shots=shots, seed='$seed'),
        'model.head.num_classes': 37,
        'train_cfg.max_epochs': _passes[shots],
        'param_scheduler.0.end': 20,
    }


def _gallery(session, shots):
    pipeline = [dict(type='UniformTemporalSample', clip_len=16, test_mode=True)]
    few = dict(shots=shots, seed='$seed')
    dataset = dict(
        type='PoseDataset', layout='hands_42', store='data/psl37', split=f'session{session}', few_shot=few
    )
    return dict(
        batch_size=64,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='collate_poses'),
        dataset=dict(dataset, pipeline=pipeline),
    )


_recogniser = dict(
    config='configs/wlasl_hands/signbert_d128_paper_wlasl300.py',
    options={
        'param_scheduler.1.T_max': '$train_cfg.max_epochs',
        'default_hooks.checkpoint.interval': '$train_cfg.max_epochs',
    },
    variants={
        f'{shots}-shot, session {session}': dict(options=_sessions(session, shots))
        for shots in _passes
        for session in range(3)
    },
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
        variants={
            f'{shots}-shot, session {session}': dict(
                options={
                    **_data('test_dataloader', _others(session)),
                    'test_cfg': dict(type='KNNTestLoop', gallery=_gallery(session, shots), k=shots),
                }
            )
            for shots in _passes
            for session in range(3)
        },
    ),
    finetune=_recogniser,
    beyond=dict(_recogniser, config='configs/wlasl_hands/signbert_d128_wlasl300.py'),
    all_glosses=dict(config='configs/wlasl_hands/signbert_d128_wlasl2000.py'),
    linear=dict(_recogniser, options={**_recogniser['options'], 'model.frozen': ('embedder', 'backbone')}),
)
