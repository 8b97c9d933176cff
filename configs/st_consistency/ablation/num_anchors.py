title = (
    'ST-Consistency Figure 4: K, the anchors that joint and motion compare (eq. 5), and recognition, '
    'top-1 in %'
)
also = ('figure4', 'st_figure4', 'K')
corner = 'K / N'
columns = [
    dict(base='finetune', metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'}),
    dict(base='pretrain', metrics={'kNN P-I': 'p_i/top1'}),
]
_parts = (16, 8, 4, 2, 1)


def _row(part):
    options = {
        'model.loss_transfer.num_anchors': f'$model.bank.size/{part}' if part > 1 else '$model.bank.size'
    }
    return dict(
        name=f'1/{part}' if part > 1 else '1',
        steps=[dict(base='pretrain', options=options), dict(base='finetune')],
    )


rows = [_row(part) for part in _parts]
paper = {'MSASL100 P-I': [None, None, None, 86.26, None]}
figure = dict(xlabel='K / N', x=[1 / part for part in _parts], ylabel='top-1 in %', log=True)
note = (
    'N: keys of the bank. The paper takes K = 8,192 of N = 16,384; the other K of its Figure 4 and their '
    'figures are not at hand.'
)
