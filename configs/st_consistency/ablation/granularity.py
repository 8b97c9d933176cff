title = 'ST-Consistency: granularity, and recognition, top-1 in %'
corner = 'granularity'
order = True
columns = [
    dict(base='finetune', metrics={'P-I': 'p_i/top1'}),
    dict(base='pretrain', metrics={'kNN P-I': 'p_i/top1'}),
]


def _alone(part):
    # consistency compares hand with trunk, so a part alone has none
    pretrain = {'model.parts': (part,), 'model.encoder.parts': (part,), 'model.loss_consistency': None}
    return dict(
        name=part,
        steps=[
            dict(base='pretrain', options=pretrain),
            dict(base='finetune', options={'model.encoder.parts': (part,)}),
        ],
    )


rows = [
    _alone('hand'),
    _alone('trunk'),
    dict(name='both', steps=[dict(base='pretrain'), dict(base='finetune')]),
]
paper = {
    'MSASL100 P-I': [82.96, 55.61, 86.26],
    'MSASL200 P-I': [79.10, 44.81, 82.93],
    'MSASL1000 P-I': [58.05, 26.97, 65.22],
}
note = 'hand, trunk: pre-trained and fine-tuned without the other part.'
