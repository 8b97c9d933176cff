_base_ = ['granularity.py']
title = 'ST-Consistency Figure 5: errors by sign, hands alone against the trunk alone, top-1 in %'
also = ('figure5', 'st_figure5')
rows = _base_.rows[:2]
paper = {
    '_delete_': True,
    'MSASL100 P-I': [82.96, 55.61],
    'MSASL200 P-I': [79.10, 44.81],
    'MSASL1000 P-I': [58.05, 26.97],
}
figure = dict(kind='class_errors')
