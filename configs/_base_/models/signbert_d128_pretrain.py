# The pre-trainer, narrow enough for a laptop; location gives back what the crop takes away (not in the
# paper).
_base_ = './signbert_pretrain.py'
model = dict(
    embedder=dict(gesture=dict(joint_channels=(32, 32, 64), part_channels=(64, 128)), location=True),
    backbone=dict(embed_dims=128, num_heads=4, feedforward_channels=256, dropout=0.0),
    decoder=dict(in_channels=128),
)
