title = 'words33: few labels on real clips, top-1 in %'
on = 'words33'
corner = 'method'
against = 'SignBERT (H), from scratch'
_trained = ['finetune', 'linear', 'knn', 'st_finetune', 'st_linear', 'st_knn', 'stgcn', 'logreg']
columns = [
    dict(base=_trained, metrics={'P-I': 'p_i/top1'}),
    dict(base=_trained, metrics={'P-C': 'p_c/top1'}),
    dict(base=_trained, metrics={'P-I without the gloss "-"': 'p_i/without_excluded/top1'}),
]
seeds = {'1-shot': 10, '2-shot': 10, '5-shot': 3, '10-shot': 3, 'whole pool': 3}


def _steps(*bases):
    return [dict(base=base) for base in bases]


rows = [
    dict(name='SignBERT (H), pre-trained', steps=_steps('pretrain', 'finetune')),
    dict(name='SignBERT (H), from scratch', steps=_steps('finetune')),
    dict(name='SignBERT (H), linear', steps=_steps('pretrain', 'linear')),
    dict(name='SignBERT (H), kNN', steps=_steps('knn')),
    dict(name='ST-Consistency, pre-trained', steps=_steps('st_pretrain', 'st_finetune')),
    dict(name='ST-Consistency, from scratch', steps=_steps('st_finetune')),
    dict(name='ST-Consistency, linear', steps=_steps('st_pretrain', 'st_linear')),
    dict(name='ST-Consistency, kNN', steps=_steps('st_knn')),
    dict(name='ST-GCN (P)', steps=_steps('stgcn')),
    dict(name='H+P', fuse=['SignBERT (H), pre-trained', 'ST-GCN (P)']),
    dict(name='logistic regression', steps=_steps('logreg')),
]
note = 'One encoder of each method, of seed 0, serves all seeds; a seed draws the labelled clips.'
