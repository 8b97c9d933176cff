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
    'NMFs-CSL total': [*[None] * 5, 75.6, 81.0, 71.3, 66.3, 71.2, 73.6, None],
    'NMFs-CSL confusing': [*[None] * 5, 59.4, 68.3, *[None] * 5],
    'NMFs-CSL normal': [*[None] * 5, 97.3, 98.1, *[None] * 5],
}
