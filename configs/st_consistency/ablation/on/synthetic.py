# The small setting: narrow model, synthetic signs; the signers of val and test are not in train. The store is
# that of SignBERT's small tables.
title = 'synthetic signs, small setting (d = 64)'
make = {
    'data/synthetic_tables': dict(
        num_glosses=100,
        num_signers=20,
        clips_per_gloss=100,
        seed=0,
        layout='sign_49',
        truth=False,
        detector=0.5,
    ),
}
_few_shot = {'train_dataloader.dataset.few_shot.seed': '$seed'}
bases = dict(
    pretrain=dict(config='configs/st_consistency/ablation/small/pretrain.py'),
    finetune=dict(config='configs/st_consistency/ablation/small/finetune.py', options=_few_shot),
    linear=dict(config='configs/st_consistency/ablation/small/linear.py', options=_few_shot),
    semi=dict(
        config='configs/st_consistency/ablation/small/semi.py',
        options={'train_dataloader.dataset.data_ratio.seed': '$seed'},
    ),
)
note = (
    'Pre-training: 7,000 clips of 100 glosses, no labels. Fine-tuned and linear: 30 of the glosses, five '
    'labelled clips each; kNN: all 2,100 '
    'training clips of the 30 vote, 20 neighbours. Tested on 600 clips of signers that are not in training.'
)
