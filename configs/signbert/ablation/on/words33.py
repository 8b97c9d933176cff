# Real clips, hands only: the words33 protocol (configs/words33) with a tenth of its pre-training.
title = 'words33, real clips, hands only (d = 128)'
note = (
    'Pre-training: 8 passes (the protocol: 80) over the unlabelled pool, letters28 and words11. Fine-tuning '
    'as the protocol: 500 steps on one or '
    "five labelled clips a gloss, drawn by the seed; tests are its test clips, each model's once."
)
bases = dict(
    pretrain=dict(
        config='configs/signbert/ablation/small/words33_pretrain.py',
        # the default; named, so that tables share the training
        by_type=dict(MaskHandTokens=dict(operations=('joint', 'frame', 'identity'))),
    ),
    finetune=dict(
        config='configs/words33/signbert_d128_finetune.py',
        options={
            'train_dataloader.dataset.few_shot.seed': '$seed',
            'param_scheduler.1.T_max': '$train_cfg.max_epochs',
            'default_hooks.checkpoint.interval': '$train_cfg.max_epochs',
        },
        variants={
            '1-shot': dict(
                options={'train_dataloader.dataset.few_shot.shots': 1, 'train_cfg.max_epochs': 500}
            ),
            '5-shot': dict(
                options={'train_dataloader.dataset.few_shot.shots': 5, 'train_cfg.max_epochs': 100}
            ),
        },
    ),
)
