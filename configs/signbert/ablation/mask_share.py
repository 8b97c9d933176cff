_base_ = 'pretraining_length.py'
title = 'How many hands SignBERT masks, each as a whole, in %'
corner = 'masked hands'
_shares = (25, 50, 75, 90)
rows = [
    dict(
        name=f'{share} %',
        steps=[
            dict(base='knn', by_type=dict(MaskHandTokens=dict(operations=('frame',), ratio=share / 100))),
            dict(base='finetune'),
        ],
    )
    for share in _shares
]
figure = dict(_delete_=True, xlabel='share of masked hands in %', x=_shares)
