title = 'ST-Consistency on WLASL, top-1 in %'
also = ('II',)
on = 'wlasl'
corner = 'protocol'
columns = [dict(base=['pretrain', 'finetune', 'linear', 'semi'], metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'})]


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
    'WLASL100 P-I': [86.43, 88.37, 72.09, 49.61, 72.48, 82.17, None],
    'WLASL100 P-C': [87.13, None, None, None, None, None, None],
    'WLASL300 P-I': [77.84, 82.19, 59.58, None, None, None, None],
    'WLASL300 P-C': [78.42, None, None, None, None, None, None],
    'WLASL2000 P-I': [51.98, 58.06, 32.35, None, None, None, None],
    'WLASL2000 P-C': [49.46, None, None, None, None, None, None],
}
note = (
    '+ R: scores summed with an RGB model (configs/fusion). The shares of 20, 40 and 60 % are assumed, and so is that this is Table II of the paper.'
)
