_base_ = ['modality.py']
title = 'ST-Consistency Figure 6: signers, joint against motion, top-1 in %'
also = ('figure6', 'st_figure6')
rows = _base_.rows[:2]
paper = {
    '_delete_': True,
    'MSASL100 P-I': [83.75, 81.51],
    'MSASL200 P-I': [80.57, 75.86],
    'MSASL1000 P-I': [61.07, 58.58],
}
figure = dict(kind='signers')
