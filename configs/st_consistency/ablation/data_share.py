title = 'ST-Consistency: share of the pre-training data, and recognition, top-1 in %'
corner = 'data'
order = True
against = '0 %'
columns = [
    dict(base='finetune', metrics={'P-I': 'p_i/top1'}),
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
paper = {'MSASL100 P-I': [69.88, 80.32, 83.22, 84.64, 86.26]}
note = (
    'The number of epochs is the same for every share (not given in the paper), so fewer clips are also '
    'fewer steps.'
)
