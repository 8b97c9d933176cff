_base_ = ['parts/protocols.py']
title = 'ST-Consistency on NMFs-CSL, top-1 in %'
also = ('III',)
on = 'nmfs_csl'
columns = [
    dict(
        base=['pretrain', 'finetune', 'linear', 'semi', 'rgb'],
        metrics={'total': 'p_i/top1', 'confusing': 'p_i/confusing/top1', 'normal': 'p_i/normal/top1'},
    )
]
paper = {
    'NMFs-CSL total': [75.6, 81.0, 71.3, 66.3, 71.2, 73.6, None],
    'NMFs-CSL confusing': [59.4, 68.3, None, None, None, None, None],
    'NMFs-CSL normal': [97.3, 98.1, None, None, None, None, None],
}
