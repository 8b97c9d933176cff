_base_ = ['parts/protocols.py']
title = 'ST-Consistency on SLR500, top-1 in %'
also = ('IV',)
on = 'slr500'
columns = [dict(base=['pretrain', 'finetune', 'linear', 'semi', 'rgb'], metrics={'P-I': 'p_i/top1'})]
paper = {
    'SLR500 P-I': [96.9, None, 94.3, 95.2, 95.9, 96.3, None],
}
