title = 'SignBERT Table 4: what is masked in pre-training, and recognition, top-1 in %'
also = ('4',)
corner = 'mask'
order = True
against = 'none'
columns = [dict(base='finetune', metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'})]
rows = [
    dict(name='none', steps=[dict(base='finetune')]),
    dict(
        name='joint',
        steps=[
            dict(base='pretrain', by_type=dict(MaskHandTokens=dict(operations=('joint', 'identity')))),
            dict(base='finetune'),
        ],
    ),
    dict(
        name='frame',
        steps=[
            dict(base='pretrain', by_type=dict(MaskHandTokens=dict(operations=('frame', 'identity')))),
            dict(base='finetune'),
        ],
    ),
    dict(
        name='joint + frame',
        steps=[
            dict(
                base='pretrain', by_type=dict(MaskHandTokens=dict(operations=('joint', 'frame', 'identity')))
            ),
            dict(base='finetune'),
        ],
    ),
]
paper = {
    'MSASL100 P-I': [63.01, 72.66, 74.77, 76.09],
    'MSASL100 P-C': [62.72, 72.75, 75.48, 76.65],
    'MSASL200 P-I': [57.69, 68.51, 68.65, 70.64],
    'MSASL200 P-C': [57.56, 69.72, 69.20, 70.92],
    'MSASL1000 P-I': [41.85, 48.87, 49.02, 49.54],
    'MSASL1000 P-C': [38.30, 45.39, 46.02, 46.39],
}
note = 'none: no pre-training, the same fine-tuning.'
