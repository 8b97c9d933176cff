"""SignBERT's recogniser on k labelled clips a gloss of words33 and on its pool without labels.

Self-training; not in the paper. The table words33.py beside this file sets shots and seeds. The pre-trained
encoder's features spread the labels (PseudoLabelHook). Each gloss then has 40 places an epoch: its labelled
clips, and some of the pool's under the labels that were found.
"""

_base_ = '../../../configs/words33/signbert_d128_finetune.py'
custom_imports = dict(imports=['projects.label_propagation.label_propagation'])

_clips = dict(type='PoseDataset', store='data/words33', split=['train', 'val'], layout='hands_42')
_train = [dict(type='UniformTemporalSample', clip_len=10)]
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='PseudoLabelDataset',
        labelled=dict(_clips, few_shot=dict(shots=1, seed=0), pipeline=_train),
        unlabelled=dict(_clips, pipeline=_train),
        per_class=40,
        clean_pipeline=[dict(type='UniformTemporalSample', clip_len=10, test_mode=True)],
    ),
)
custom_hooks = [dict(type='PseudoLabelHook')]
train_cfg = dict(max_epochs=8)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=20),
    dict(type='CosineAnnealingLR', T_max=8, by_epoch=True, convert_to_iter_based=True),
]
default_hooks = dict(checkpoint=dict(interval=8))
