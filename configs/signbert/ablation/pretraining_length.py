title = 'How long SignBERT is pre-trained: passes over the clips without labels, in %'
on = 'wlasl_hands'
corner = 'passes'
_passes = (5, 16, 80, 200)


def _length(passes):
    return {'train_cfg.max_epochs': passes, 'param_scheduler.1.T_max': passes}


columns = [
    dict(base='knn', metrics={'kNN P-I': 'p_i/top1'}),
    dict(base='finetune', metrics={'fine-tuned P-I': 'p_i/top1', 'fine-tuned P-C': 'p_c/top1'}),
]
rows = [
    dict(name=str(passes), steps=[dict(base='knn', options=_length(passes)), dict(base='finetune')])
    for passes in _passes
]
figure = dict(xlabel='passes of pre-training', x=_passes, log=True)
note = 'kNN: 20 neighbours among the labelled clips in the features of the pre-trained encoder.'
