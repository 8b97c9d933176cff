# The small setting: narrow model, synthetic signs; the signers of val and test are not in train.
title = 'synthetic signs, small setting (d = 128)'
make = {
    'data/synthetic_tables': dict(num_glosses=100, num_signers=20, clips_per_gloss=100, seed=0, layout='sign_49', detector=0.5, truth=False),
}
bases = dict(
    pretrain=dict(config='configs/signbert/ablation/small/pretrain.py'),
    single_frame=dict(config='configs/signbert/ablation/small/single_frame.py'),
    finetune=dict(
        variants=dict(
            Synthetic30=dict(config='configs/signbert/ablation/small/synthetic30.py'),
            Synthetic100=dict(config='configs/signbert/ablation/small/synthetic100.py'),
        ),
        options={'train_dataloader.dataset.few_shot.seed': '$seed'},
    ),
)
