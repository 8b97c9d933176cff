_base_ = ['parts/protocols.py']
title = 'ST-Consistency on NMFs-CSL, top-1 in %'
also = ('III', 'st_table_iii')
on = 'nmfs_csl'
columns = [
    dict(
        base=[*_base_._bases, 'i3d', 'tsm', 'slowfast'],
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
rows = [*_base_._rows_r3d[:2], *_others, *_base_._rows_r3d[2:]]
# ST-GCN, 3D-R50, I3D, TSM, SlowFast, fine-tuned, + R, linear, 20, 40, 60 %, kNN
paper = {
    'NMFs-CSL total': [59.9, 62.1, 64.4, 64.5, 66.3, 75.6, 81.0, 71.3, 66.3, 71.2, 73.6, None],
    'NMFs-CSL total top-2': [74.7, 73.2, 77.9, 79.5, 77.8, *[None] * 7],
    'NMFs-CSL total top-5': [86.8, 82.9, 88.0, 88.7, 86.6, *[None] * 7],
    'NMFs-CSL confusing': [42.2, None, None, None, None, 59.4, 68.3, *[None] * 5],
    'NMFs-CSL normal': [83.4, None, None, None, None, 97.3, 98.1, *[None] * 5],
}
