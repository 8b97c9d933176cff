title = 'ST-Consistency Table X: granularity, and recognition, top-1 in %'
also = ('X', 'st_table_x')
corner = 'granularity'
order = True
columns = [
    dict(base='finetune', metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'}),
    dict(base='pretrain', metrics={'kNN P-I': 'p_i/top1'}),
]


def _row(part, alone=False):
    # consistency compares hand with trunk, so a part alone has none
    pretrain = {'model.parts': (part,), 'model.encoder.parts': (part,), 'model.loss_consistency': None}
    return dict(
        name=f'{part}, pre-trained alone' if alone else part,
        steps=[
            dict(base='pretrain', options=pretrain if alone else {}),
            dict(base='finetune', options={'model.encoder.parts': (part,)}),
        ],
    )


rows = [
    _row('hand'),
    _row('trunk'),
    dict(name='both', steps=[dict(base='pretrain'), dict(base='finetune')]),
    _row('hand', alone=True),
    _row('trunk', alone=True),
]
paper = {
    'MSASL100 P-I': [82.96, 55.61, 86.26, None, None],
    'MSASL100 P-C': [None, None, 86.63, None, None],
    'MSASL200 P-I': [79.10, 44.81, 82.93, None, None],
    'MSASL200 P-C': [None, None, 83.43, None, None],
    'MSASL1000 P-I': [58.05, 26.97, 65.22, None, None],
    'MSASL1000 P-C': [None, None, 62.68, None, None],
}
note = (
    'hand, trunk: one part of the pre-training of both is fine-tuned; kNN has both parts there. Pre-trained '
    'alone: pre-trained and fine-tuned without the other part.'
)
