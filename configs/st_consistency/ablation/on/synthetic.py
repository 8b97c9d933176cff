# The small setting: narrow model, synthetic signs; the signers of val and test are not in train. The store,
# and P and R, are those of SignBERT's small tables.
_base_ = ['../../../signbert/ablation/parts/synthetic.py']
title = 'synthetic signs, small setting (d = 64)'
make = {_base_._store: dict(_base_._signs, detector=0.5)}
videos = _base_._drawn
_measured = _base_._measures[30]
_few = {**_base_._few_shot, **_measured}
bases = dict(
    pretrain=dict(config='configs/st_consistency/ablation/small/pretrain.py', options=_measured),
    finetune=dict(config='configs/st_consistency/ablation/small/finetune.py', options=_few),
    linear=dict(config='configs/st_consistency/ablation/small/linear.py', options=_few),
    semi=dict(
        config='configs/st_consistency/ablation/small/semi.py',
        options={'train_dataloader.dataset.data_ratio.seed': '$seed', **_measured},
    ),
    skeleton=dict(config=f'{_base_._small}/stgcn.py', options={**_few, **_base_._skeleton30}),
    **{
        network: dict(start='', config=f'{_base_._small}/{network}.py', options=_few)
        for network in _base_._networks
    },
)
note = (
    'Pre-training: 7,000 clips of 100 glosses, no labels. Fine-tuned and linear: 30 of the glosses, five '
    'labelled clips each; kNN: all 2,100 '
    'training clips of the 30 vote, 20 neighbours. Tested on 600 clips of signers that are not in training.'
    + _base_._note
)
