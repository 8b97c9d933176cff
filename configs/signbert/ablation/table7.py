title = 'SignBERT Table 7: share of the pre-training data, and recognition, top-1 in %'
also = ('7',)
corner = 'data'
order = True
against = '0 %'
columns = [dict(base='finetune', metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'})]


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
    'MSASL100 P-I': [63.01, 73.18, 73.18, 74.50, 76.09],
    'MSASL100 P-C': [62.72, 72.83, 73.42, 74.36, 76.65],
    'MSASL200 P-I': [57.69, 67.91, 67.18, 68.72, 70.64],
    'MSASL200 P-C': [57.56, 69.30, 67.71, 68.97, 70.92],
    'MSASL1000 P-I': [41.85, 46.18, 46.57, 47.21, 49.54],
    'MSASL1000 P-C': [38.30, 43.97, 43.79, 43.67, 46.39],
}
note = (
    'The number of epochs is the same for every share (not given in the paper), so fewer clips are also '
    'fewer steps.'
)
