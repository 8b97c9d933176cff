title = 'ST-Consistency Figure 3: t-SNE of the features of the test clips'
also = ('st_figure3',)
corner = 'encoder'
columns = [dict(base='pretrain', metrics={'kNN P-I': 'p_i/top1'})]
rows = [dict(name='pre-trained', steps=[dict(base='pretrain')])]
figure = dict(kind='tsne', classes=20)
note = 'Beside it the same encoder with random weights, before any training.'
