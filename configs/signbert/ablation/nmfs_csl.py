_base_ = ['parts/methods.py']
title = 'SignBERT on NMFs-CSL, top-1 in %'
also = ('table3', '3')
on = 'nmfs_csl'
columns = [
    dict(
        base=['finetune', 'skeleton', 'skeleton133', 'rgb', 'i3d', 'tsm', 'slowfast'],
        metrics={
            f'{name}{top}': f'p_i/{subset}{key}'
            for name, subset in (('total', ''), ('confusing', 'confusing/'), ('normal', 'normal/'))
            for top, key in (('', 'top1'), (' top-2', 'top2'), (' top-5', 'top5'))
        },
    )
]
_others = [
    dict(name='I3D', steps=[dict(base='i3d')]),
    dict(name='TSM', steps=[dict(base='tsm')]),
    dict(name='SlowFast', steps=[dict(base='slowfast')]),
]
rows = [*_base_._rows_r3d[:3], *_others, *_base_._rows_r3d[3:]]
# ST-GCN, ST-GCN 133, 3D-R50, I3D, TSM, SlowFast, H, H + P, H + P 133, H + R
paper = {
    'NMFs-CSL total': [59.9, 59.9, 62.1, 64.4, 64.5, 66.3, 67.0, 74.9, 74.9, 78.4],
    'NMFs-CSL total top-2': [74.7, 74.7, 73.2, 77.9, 79.5, 77.8, 86.8, 93.2, 93.2, 92.0],
    'NMFs-CSL total top-5': [86.8, 86.8, 82.9, 88.0, 88.7, 86.6, 95.3, 98.2, 98.2, 97.3],
    'NMFs-CSL confusing': [42.2, 42.2, None, None, None, None, 46.4, 58.6, 58.6, 64.3],
    'NMFs-CSL normal': [83.4, 83.4, None, None, None, None, 94.5, 96.7, 96.7, 97.4],
}
