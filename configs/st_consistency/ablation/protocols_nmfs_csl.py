title = 'ST-Consistency on NMFs-CSL, top-1 in %'
also = ('III',)
on = 'nmfs_csl'
corner = 'protocol'
columns = [
    dict(
        base=['pretrain', 'finetune', 'linear', 'semi'],
        metrics={'total': 'p_i/top1', 'confusing': 'p_i/confusing/top1', 'normal': 'p_i/normal/top1'},
    )
]


def _share(ratio):
    return [dict(base='pretrain'), dict(base='semi', options={'train_dataloader.dataset.data_ratio.ratio': ratio})]


rows = [
    dict(name='fine-tuned', steps=[dict(base='pretrain'), dict(base='finetune')]),
    dict(name='fine-tuned + R'),
    dict(name='linear', steps=[dict(base='pretrain'), dict(base='linear')]),
    dict(name='semi-supervised, 20 %', steps=_share(0.2)),
    dict(name='semi-supervised, 40 %', steps=_share(0.4)),
    dict(name='semi-supervised, 60 %', steps=_share(0.6)),
    dict(name='kNN', steps=[dict(base='pretrain')]),
]
paper = {
    'NMFs-CSL total': [75.6, 81.0, 71.3, 66.3, 71.2, 73.6, None],
    'NMFs-CSL confusing': [59.4, 68.3, None, None, None, None, None],
    'NMFs-CSL normal': [97.3, 98.1, None, None, None, None, None],
}
note = (
    '+ R: scores summed with an RGB model (configs/fusion). The shares of 20, 40 and 60 % are assumed, and so is that this is Table III of the paper.'
)
