# The rows of Tables I to V: other methods, and every protocol, on one data set.
corner = 'protocol'
_bases = ['pretrain', 'finetune', 'linear', 'semi', 'rgb', 'skeleton']
columns = [
    dict(
        base=_bases,
        metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1', 'P-I top-5': 'p_i/top5', 'P-C top-5': 'p_c/top5'},
    )
]


def _share(ratio):
    return [
        dict(base='pretrain'),
        dict(base='semi', options={'train_dataloader.dataset.data_ratio.ratio': ratio}),
    ]


_skeleton = dict(name='ST-GCN', steps=[dict(base='skeleton')])
_i3d = dict(name='I3D', steps=[dict(base='rgb')])
_r3d = dict(name='3D-R50', steps=[dict(base='rgb')])
_fine_tuned = dict(name='fine-tuned', steps=[dict(base='pretrain'), dict(base='finetune')])
# Table V
_shares = [
    dict(name='linear', steps=[dict(base='pretrain'), dict(base='linear')]),
    dict(name='semi-supervised, 20 %', steps=_share(0.2)),
    dict(name='semi-supervised, 40 %', steps=_share(0.4)),
    dict(name='semi-supervised, 60 %', steps=_share(0.6)),
]
_knn = dict(name='kNN', steps=[dict(base='pretrain')])
_rows_i3d = [
    _skeleton,
    _i3d,
    _fine_tuned,
    dict(name='fine-tuned + R', fuse=['fine-tuned', 'I3D']),
    *_shares,
    _knn,
]
_rows_r3d = [
    _skeleton,
    _r3d,
    _fine_tuned,
    dict(name='fine-tuned + R', fuse=['fine-tuned', '3D-R50']),
    *_shares,
    _knn,
]
note = (
    '+ R: scores summed with the RGB model (configs/fusion). The shares of 20, 40 and 60 % are assumed. The '
    'paper also prints ST-GCN and RGB networks (figures: the tables of SignBERT), Pose-TGCN, PSLR, SignBERT, '
    'BEST, SignBERT+, HP3D, TCK, BSL, HMA and GLE-Net; those figures are not at hand.'
)
