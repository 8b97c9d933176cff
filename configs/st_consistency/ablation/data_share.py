title = 'ST-Consistency Table VI: share of the pre-training data, and recognition, top-1 in %'
also = ('VI', 'st_table_vi')
corner = 'data'
order = True
against = '0 %'
columns = [
    dict(base='finetune', metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'}),
    dict(base='pretrain', metrics={'kNN P-I': 'p_i/top1'}),
]


def _share(ratio):
    changes = (
        {'train_dataloader:PoseDataset': dict(data_ratio=dict(ratio=ratio, seed='$seed'))}
        if ratio < 1
        else {}
    )
    return [dict(base='pretrain', by_type=changes), dict(base='finetune')]


rows = [dict(name='0 %', steps=[dict(base='finetune')])]
rows += [dict(name=f'{round(100 * ratio)} %', steps=_share(ratio)) for ratio in (0.25, 0.5, 0.75, 1.0)]
paper = {
    'MSASL100 P-I': [69.88, 80.32, 83.22, 84.64, 86.26],
    'MSASL100 P-C': [70.97, 80.99, 83.75, 85.19, 86.63],
    'MSASL200 P-I': [66.89, 75.28, 79.62, 80.24, 82.93],
    'MSASL200 P-C': [67.75, 76.33, 80.68, 81.08, 83.43],
    'MSASL1000 P-I': [51.37, 59.06, 62.82, 64.57, 65.22],
    'MSASL1000 P-C': [47.63, 57.04, 60.31, 62.24, 62.68],
}
note = (
    'The number of epochs is the same for every share (not given in the paper), so fewer clips are also '
    'fewer steps.'
)
