# ST-Consistency's encoder of one modality at full width (joint and motion have one each). Layers and values
# are those of the authors' code; what stays otherwise is listed in docs/papers.md.
_gcn = dict(type='ResidualGestureGCN', joint_channels=(128, 128, 256), part_channels=(512, 512), dropout=0.05)
_time = dict(type='TemporalGCNEmbedder', channels=512, num_blocks=2, dropout=0.25)
_attention = dict(
    type='HandTransformer',
    num_layers=3,
    num_heads=8,
    dropout=0.1,
    feedforward_dropout=0.0,
    input_norm=True,
)

# whole clips, strided over 150 frames
_frames = [dict(type='UniformTemporalSample', clip_len=150, test_mode=True, repeat=False)]

encoder = dict(
    type='HandTrunkEncoder',
    hand_embedder=dict(_time, gesture=dict(_gcn, layout='hand_21')),
    trunk_embedder=dict(_time, gesture=dict(_gcn, layout='trunk_7')),
    hand_backbone=dict(_attention, embed_dims=1024, feedforward_channels=1536),
    trunk_backbone=dict(_attention, embed_dims=512, feedforward_channels=1024),
    hand_layout='channel',
    # The authors' code: False. A missing hand then counts as a hand of zeros in batch norm.
    masked=True,
    # The authors' code: True. Pooling leaves missing hands out in both cases.
    attend_missing=False,
)

# what makes it narrow enough to pre-train on a laptop's core: model = dict(encoder={{_base_.encoder_d64}})
# over a config of full width
_d64_gcn = dict(joint_channels=(16, 16, 32), part_channels=(32, 64))
encoder_d64 = dict(
    hand_embedder=dict(gesture=_d64_gcn, channels=64, num_blocks=1, dropout=0.1),
    trunk_embedder=dict(gesture=_d64_gcn, channels=64, num_blocks=1, dropout=0.1),
    hand_backbone=dict(embed_dims=128, num_layers=1, num_heads=4, feedforward_channels=256),
    trunk_backbone=dict(embed_dims=64, num_layers=1, num_heads=4, feedforward_channels=128),
)
