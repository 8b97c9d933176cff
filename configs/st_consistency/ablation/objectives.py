title = 'ST-Consistency Table IX: objectives of pre-training, and recognition, top-1 in %'
also = ('IX', 'st_table_ix')
corner = 'objectives'
order = True
against = 'contrastive'
columns = [
    dict(base='finetune', metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'}),
    dict(base='linear', metrics={'linear P-I': 'p_i/top1', 'linear P-C': 'p_c/top1'}),
    dict(base='pretrain', metrics={'kNN P-I': 'p_i/top1'}),
]


def _without(*losses):
    return [
        dict(base='pretrain', options={f'model.{loss}': None for loss in losses}),
        dict(base='finetune'),
        dict(base='linear', after='pretrain'),
    ]


rows = [
    dict(name='contrastive', steps=_without('loss_consistency', 'loss_transfer')),
    dict(name='+ consistency', steps=_without('loss_transfer')),
    dict(name='+ transfer', steps=_without('loss_consistency')),
    dict(name='both', steps=_without()),
]
paper = {
    'MSASL100 P-I': [78.29, 81.01, 84.94, 86.26],
    'MSASL200 P-I': [75.35, 78.51, 81.46, 82.93],
    'MSASL1000 P-I': [57.32, 61.74, 64.07, 65.22],
}
note = (
    'The paper adds one objective to the contrastive one at a time; that the first of its two rows is '
    'the '
    'consistency is assumed.'
)
