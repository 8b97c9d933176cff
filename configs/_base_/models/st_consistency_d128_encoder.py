# The encoder, narrow enough for a laptop.
_base_ = './st_consistency_encoder.py'

_gcn = dict(joint_channels=(32, 32, 64), part_channels=(64, 128))
encoder = dict(
    hand_embedder=dict(gesture=_gcn, channels=128),
    trunk_embedder=dict(gesture=_gcn, channels=128),
    hand_backbone=dict(embed_dims=256, num_heads=4, feedforward_channels=384),
    trunk_backbone=dict(embed_dims=128, num_heads=4, feedforward_channels=256),
)
