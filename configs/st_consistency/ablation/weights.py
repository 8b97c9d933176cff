title = (
    'ST-Consistency Table XI: weights of joint and motion in pre-training (eq. 8), and recognition, top-1 '
    'in %'
)
also = ('XI', 'st_table_xi')
corner = 'joint / motion'
order = True
columns = [
    dict(base='finetune', metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'}),
    dict(base='pretrain', metrics={'kNN P-I': 'p_i/top1'}),
]


def _row(joint):
    motion = round(1 - joint, 1)
    options = {} if joint == motion else {'model.weights': dict(joint=joint, motion=motion)}
    return dict(
        name=f'{joint} / {motion}', steps=[dict(base='pretrain', options=options), dict(base='finetune')]
    )


rows = [_row(joint) for joint in (0.3, 0.4, 0.5, 0.6, 0.7)]
paper = {
    'MSASL100 P-I': [81.77, 82.71, 86.26, 82.87, 81.41],
    'MSASL100 P-C': [82.26, 82.96, 86.63, 83.27, 81.85],
    'MSASL200 P-I': [77.28, 78.84, 82.93, 79.23, 76.85],
    'MSASL1000 P-I': [61.10, 62.09, 65.22, 62.17, 60.94],
}
note = 'The two weights sum to 1 in all rows.'
