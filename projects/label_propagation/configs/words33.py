"""Rows of the words33 protocol that learn from the pool without its labels; they are in no paper."""

title = 'words33: labels that spread over the pool, top-1 in %'
on = 'words33'
corner = 'method'
_trained = ['finetune', 'semi', 'propagate']
columns = [
    dict(base=_trained, metrics={'P-I': 'p_i/top1'}),
    dict(base=_trained, metrics={'P-C': 'p_c/top1'}),
    dict(base=_trained, metrics={'P-I without the gloss "-"': 'p_i/without_excluded/top1'}),
]
against = 'SignBERT (H), pre-trained'
seeds = {'1-shot': 10, '2-shot': 10, '5-shot': 3, '10-shot': 3, 'whole pool': 3}
_rest = {'custom_hooks.0.background': '-'}
rows = [
    dict(name='SignBERT (H), pre-trained', steps=[dict(base='pretrain'), dict(base='finetune')]),
    dict(name='SignBERT (H), propagated', steps=[dict(base='propagate')]),
    dict(
        name='SignBERT (H), propagated, rest known',
        steps=[dict(base='propagate', options={'test_cfg.background': '-'})],
    ),
    dict(name='SignBERT (H), self-training', steps=[dict(base='pretrain'), dict(base='semi')]),
    dict(
        name='SignBERT (H), self-training, rest known',
        steps=[dict(base='pretrain'), dict(base='semi', options=_rest)],
    ),
]
note = 'One encoder, of seed 0, serves all seeds; a seed draws the labelled clips.'
