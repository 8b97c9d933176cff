# Few labels on easy signs, with an encoder that has learnt hard ones: test clips and shots of words33.
title = 'words33, real clips, encoder of WLASL hands (d = 128)'
note = (
    'One encoder (seed 0) serves all seeds. It is that of the setting wlasl_hands: 16 passes without labels '
    "over clips of WLASL, words33's pool, letters28 and words11. Fine-tuning as the protocol of words33, "
    'with 16 frames a clip: 500 steps on one or five labelled clips a gloss, drawn by the seed; tests are '
    "its test clips, each model's once."
)
_configs = 'configs/wlasl_hands/signbert_d128_'
_PREPARE = 'python tools/dataset_converters/npz_to_store.py asl_words33.npz data/words33 --protocol words33'
# passes over the labelled clips: 500 steps
_passes = {1: 500, 5: 100}


def _data(place, split):
    return {
        f'{place}.dataset.store': 'data/words33',
        f'{place}.dataset.prepare': _PREPARE,
        f'{place}.dataset.split': split,
    }


def _shots(shots):
    return {
        'train_dataloader.dataset.few_shot': dict(_delete_=True, shots=shots, seed='$seed'),
        'train_cfg.max_epochs': _passes[shots],
    }


_recogniser = dict(
    config=f'{_configs}paper_wlasl300.py',
    options={
        **_data('train_dataloader', ['train', 'val']),
        **_data('test_dataloader', 'test'),
        'train_dataloader.batch_size': 33,
        'model.head.num_classes': 33,
        'test_evaluator.exclude': ['-'],
        'param_scheduler.0.end': 20,
        'param_scheduler.1.T_max': '$train_cfg.max_epochs',
        'default_hooks.checkpoint.interval': '$train_cfg.max_epochs',
    },
    variants={f'{shots}-shot': dict(options=_shots(shots)) for shots in _passes},
)
bases = dict(
    pretrain=dict(
        seed=0,
        config=f'{_configs}pretrain_wlasl.py',
        by_type=dict(MaskHandTokens=dict(operations=('joint', 'frame', 'identity'))),
    ),
    finetune=_recogniser,
    beyond=dict(_recogniser, config=f'{_configs}wlasl300.py'),
    all_glosses=dict(seed=0, config=f'{_configs}wlasl2000.py'),
)
