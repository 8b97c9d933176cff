# ST-Consistency's encoder of one modality at full width; joint and motion have one each. Every value here is that of the authors' code.
_gcn = dict(type='GestureGCN', joint_channels=(128, 128, 256), part_channels=(512, 512), norm='BN', input_norm=True, bias=False)
_time = dict(type='TemporalGCNEmbedder', channels=512, num_blocks=2, dropout=0.25)
_attention = dict(type='HandTransformer', num_layers=3, num_heads=8, dropout=0.1, input_norm=True)

encoder = dict(
    type='HandTrunkEncoder',
    hand_embedder=dict(_time, gesture=dict(_gcn, layout='hand_21')),
    trunk_embedder=dict(_time, gesture=dict(_gcn, layout='trunk_7')),
    hand_backbone=dict(_attention, embed_dims=1024, feedforward_channels=1536),
    trunk_backbone=dict(_attention, embed_dims=512, feedforward_channels=1024),
    hand_layout='channel',
    masked=True,  # the authors' code: False, a missing hand counts as a hand of zeros in batch norm
    attend_missing=False,
)
