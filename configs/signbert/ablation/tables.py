# The comparisons with other methods, Tables 3, 8, 9 and 10: H, P and R alone and fused, on each data set.
_base_ = ['parts/columns.py']
_bases = ['finetune', 'skeleton', 'skeleton133']


def _rows(*networks):
    """R is the first of ``networks``."""
    return [
        dict(name='ST-GCN', steps=[dict(base='skeleton')]),
        dict(name='ST-GCN, 133 keypoints', steps=[dict(base='skeleton133')]),
        *(dict(name=name, steps=[dict(base=_base_._networks[name])]) for name in networks),
        dict(name='H', steps=[dict(base='pretrain'), dict(base='finetune')]),
        dict(name='H + P', fuse=['H', 'ST-GCN']),
        dict(name='H + P, 133 keypoints', fuse=['H', 'ST-GCN, 133 keypoints']),
        dict(name='H + R', fuse=['H', networks[0]]),
    ]


_table = dict(
    corner='method',
    columns=[dict(base=[*_bases, 'i3d'], metrics=_base_._metrics)],
    note='H: hands only; P: ST-GCN over 49 joints (two hands and the trunk), or over all 133 keypoints; R: '
    'the RGB network (configs/fusion). The paper says "full keypoints" of P, not how many: its figures of '
    'ST-GCN and H + P stand beside both.',
)
tables = dict(
    msasl=dict(
        _table,
        title='SignBERT on MS-ASL, top-1 in %',
        also=('table8', '8'),
        on='msasl',
        rows=_rows('I3D'),
        # ST-GCN, ST-GCN 133, I3D, H, H + P, H + P 133, H + R
        paper={
            'MSASL100 P-I': [59.84, 59.84, None, 76.09, 81.37, 81.37, 89.56],
            'MSASL100 P-C': [60.79, 60.79, 81.76, 76.65, 82.31, 82.31, 89.96],
            'MSASL100 P-I top-5': [82.03, 82.03, None, 92.87, 93.66, 93.66, 97.36],
            'MSASL200 P-I': [52.91, 52.91, None, 70.64, 77.34, 77.34, 86.98],
            'MSASL200 P-C': [54.20, 54.20, 81.97, 70.92, 78.02, 78.02, 87.62],
            'MSASL200 P-I top-5': [76.67, 76.67, None, 89.55, 91.10, 91.10, 96.39],
            'MSASL1000 P-I': [36.03, 36.03, None, 49.54, 59.80, 59.80, 71.24],
            'MSASL1000 P-C': [32.32, 32.32, 57.69, 46.39, 57.06, 57.06, 67.96],
            'MSASL1000 P-I top-5': [59.92, 59.92, None, 74.11, 81.86, 81.86, 89.12],
        },
    ),
    wlasl=dict(
        _table,
        title='SignBERT on WLASL, top-1 in %',
        also=('table9', '9'),
        on='wlasl',
        rows=_rows('I3D'),
        # the same
        paper={
            'WLASL100 P-I': [50.78, 50.78, 65.89, 76.36, 79.07, 79.07, 82.56],
            'WLASL100 P-C': [51.62, 51.62, None, 77.68, 80.05, 80.05, 83.30],
            'WLASL100 P-I top-5': [79.07, 79.07, None, 91.09, 93.80, 93.80, 94.96],
            'WLASL300 P-I': [44.46, 44.46, 56.14, 62.72, 70.36, 70.36, 74.40],
            'WLASL300 P-C': [45.29, 45.29, None, 63.43, 71.17, 71.17, 75.27],
            'WLASL300 P-I top-5': [73.05, 73.05, None, 85.18, 88.92, 88.92, 91.32],
            'WLASL2000 P-I': [34.40, 34.40, 32.48, 39.40, 47.46, 47.46, 54.69],
            'WLASL2000 P-C': [32.53, 32.53, None, 36.74, 45.17, 45.17, 52.08],
            'WLASL2000 P-I top-5': [66.57, 66.57, None, 73.35, 83.32, 83.32, 87.49],
        },
    ),
    nmfs_csl=dict(
        _table,
        title='SignBERT on NMFs-CSL, top-1 in %',
        also=('table3', '3'),
        on='nmfs_csl',
        columns=[
            dict(
                base=[*_bases, *_base_._networks.values()],
                metrics=_base_._nmfs_csl_metrics,
            )
        ],
        rows=_rows(*_base_._networks),
        # ST-GCN, ST-GCN 133, 3D-R50, I3D, TSM, SlowFast, H, H + P, H + P 133, H + R
        paper={
            'NMFs-CSL total': [59.9, 59.9, 62.1, 64.4, 64.5, 66.3, 67.0, 74.9, 74.9, 78.4],
            'NMFs-CSL total top-2': [74.7, 74.7, 73.2, 77.9, 79.5, 77.8, 86.8, 93.2, 93.2, 92.0],
            'NMFs-CSL total top-5': [86.8, 86.8, 82.9, 88.0, 88.7, 86.6, 95.3, 98.2, 98.2, 97.3],
            'NMFs-CSL confusing': [42.2, 42.2, None, None, None, None, 46.4, 58.6, 58.6, 64.3],
            'NMFs-CSL normal': [83.4, 83.4, None, None, None, None, 94.5, 96.7, 96.7, 97.4],
        },
    ),
    slr500=dict(
        _table,
        title='SignBERT on SLR500, top-1 in %',
        also=('table10', '10'),
        on='slr500',
        columns=[dict(base=[*_bases, 'r3d'], metrics={'P-I': 'p_i/top1'})],
        rows=_rows('3D-R50'),
        # ST-GCN, ST-GCN 133, 3D-R50, H, H + P, H + P 133, H + R
        paper={'SLR500 P-I': [90.0, 90.0, 95.1, 94.5, 96.6, 96.6, 97.6]},
    ),
)
