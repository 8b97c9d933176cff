# Tables I to V: other methods, and every protocol, on each data set.
_base_ = ['../../signbert/ablation/parts/columns.py']
_bases = ['pretrain', 'finetune', 'linear', 'semi', 'skeleton']


def _share(ratio):
    return dict(
        name=f'semi-supervised, {round(100 * ratio)} %',
        steps=[
            dict(base='pretrain'),
            dict(base='semi', options={'train_dataloader.dataset.data_ratio.ratio': ratio}),
        ],
    )


# Table V
_shares = [
    dict(name='linear', steps=[dict(base='pretrain'), dict(base='linear')]),
    *(_share(ratio) for ratio in (0.2, 0.4, 0.6)),
]


def _rows(*networks):
    """R is the first of ``networks``."""
    return [
        dict(name='ST-GCN', steps=[dict(base='skeleton')]),
        *(dict(name=name, steps=[dict(base=_base_._networks[name])]) for name in networks),
        dict(name='fine-tuned', steps=[dict(base='pretrain'), dict(base='finetune')]),
        dict(name='fine-tuned + R', fuse=['fine-tuned', networks[0]]),
        *_shares,
        dict(name='kNN', steps=[dict(base='pretrain')]),
    ]


_table = dict(
    corner='protocol',
    columns=[dict(base=[*_bases, 'i3d'], metrics=_base_._metrics)],
    note='+ R: scores summed with the RGB model (configs/fusion). The shares of 20, 40 and 60 % are assumed. '
    'The paper also prints ST-GCN and RGB networks (figures: the tables of SignBERT), Pose-TGCN, PSLR, '
    'SignBERT, BEST, SignBERT+, HP3D, TCK, BSL, HMA and GLE-Net; those figures are not at hand.',
)
tables = dict(
    protocols_msasl=dict(
        _table,
        title='ST-Consistency on MSASL, top-1 in %',
        also=('I', 'st_table_i'),
        on='msasl',
        rows=_rows('I3D'),
        # ST-GCN, I3D, fine-tuned, + R, linear, 20, 40, 60 %, kNN
        paper={
            'MSASL100 P-I': [None, None, 86.26, 90.76, 77.15, 71.07, 80.85, 82.56, None],
            'MSASL100 P-C': [None, None, 86.63, None, 76.99, 72.06, 80.83, 82.88, None],
            'MSASL200 P-I': [None, None, 82.93, 88.82, 71.16, 65.12, 74.54, 79.76, None],
            'MSASL200 P-C': [None, None, 83.43, None, 71.81, 65.04, 74.94, 80.57, None],
            'MSASL1000 P-I': [None, None, 65.22, 74.78, 48.30, 39.09, 51.49, 59.06, None],
            'MSASL1000 P-C': [None, None, 62.68, None, 43.96, 35.07, 47.41, 56.42, None],
        },
    ),
    protocols_wlasl=dict(
        _table,
        title='ST-Consistency on WLASL, top-1 in %',
        also=('II', 'st_table_ii'),
        on='wlasl',
        rows=_rows('I3D'),
        # the same
        paper={
            'WLASL100 P-I': [None, None, 86.43, 88.37, 72.09, 49.61, 72.48, 82.17, None],
            'WLASL100 P-C': [None, None, 87.13, None, 73.27, 49.87, 73.97, 82.80, None],
            'WLASL300 P-I': [None, None, 77.84, 82.19, 59.58, 41.02, 62.57, 70.66, None],
            'WLASL300 P-C': [None, None, 78.42, None, 60.05, 41.22, 63.09, 71.16, None],
            'WLASL2000 P-I': [None, None, 51.98, 58.06, 32.35, 21.02, 36.52, 44.37, None],
            'WLASL2000 P-C': [None, None, 49.46, None, 32.49, 17.89, 32.49, 42.76, None],
        },
    ),
    protocols_nmfs_csl=dict(
        _table,
        title='ST-Consistency on NMFs-CSL, top-1 in %',
        also=('III', 'st_table_iii'),
        on='nmfs_csl',
        columns=[
            dict(
                base=[*_bases, *_base_._networks.values()],
                metrics=_base_._nmfs_csl_metrics,
            )
        ],
        rows=_rows(*_base_._networks),
        # ST-GCN, 3D-R50, I3D, TSM, SlowFast, fine-tuned, + R, linear, 20, 40, 60 %, kNN
        paper={
            'NMFs-CSL total': [*[None] * 5, 75.6, 81.0, 71.3, 66.3, 71.2, 73.6, None],
            'NMFs-CSL confusing': [*[None] * 5, 59.4, 68.3, *[None] * 5],
            'NMFs-CSL normal': [*[None] * 5, 97.3, 98.1, *[None] * 5],
        },
    ),
    protocols_slr500=dict(
        _table,
        title='ST-Consistency on SLR500, top-1 in %',
        also=('IV', 'st_table_iv'),
        on='slr500',
        columns=[dict(base=[*_bases, 'r3d'], metrics={'P-I': 'p_i/top1'})],
        rows=_rows('3D-R50'),
        # ST-GCN, 3D-R50, fine-tuned, + R, linear, 20, 40, 60 %, kNN
        paper={'SLR500 P-I': [None, None, 96.9, None, 94.3, 95.2, 95.9, 96.3, None]},
    ),
    protocols=dict(
        _table,
        title='ST-Consistency Table V: frozen encoders, and shares of the labels, top-1 in %',
        also=('V', 'st_table_v'),
        columns=[dict(base=['linear', 'semi'], metrics={'P-I': 'p_i/top1', 'P-C': 'p_c/top1'})],
        rows=_shares,
        paper={
            'MSASL100 P-I': [77.15, 71.07, 80.85, 82.56],
            'MSASL100 P-C': [76.99, 72.06, 80.83, 82.88],
            'MSASL200 P-I': [71.16, 65.12, 74.54, 79.76],
            'MSASL200 P-C': [71.81, 65.04, 74.94, 80.57],
            'MSASL1000 P-I': [48.30, 39.09, 51.49, 59.06],
            'MSASL1000 P-C': [43.96, 35.07, 47.41, 56.42],
            'WLASL100 P-I': [72.09, 49.61, 72.48, 82.17],
            'WLASL100 P-C': [73.27, 49.87, 73.97, 82.80],
            'WLASL300 P-I': [59.58, 41.02, 62.57, 70.66],
            'WLASL300 P-C': [60.05, 41.22, 63.09, 71.16],
            'WLASL2000 P-I': [32.35, 21.02, 36.52, 44.37],
            'WLASL2000 P-C': [32.49, 17.89, 32.49, 42.76],
            'NMFs-CSL P-I': [71.3, 66.3, 71.2, 73.6],
            'SLR500 P-I': [94.3, 95.2, 95.9, 96.3],
        },
        note='The shares of 20, 40 and 60 % are assumed.',
    ),
)
