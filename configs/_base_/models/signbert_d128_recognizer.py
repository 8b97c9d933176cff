# The recogniser over the narrow encoder, for few labelled clips.
_base_ = './signbert_recognizer.py'
model = dict(
    embedder=dict(gesture=dict(joint_channels=(32, 32, 64), part_channels=(64, 128)), location=True),
    backbone=dict(embed_dims=128, num_heads=4, feedforward_channels=256, dropout=0.0),
    head=dict(in_channels=128, dropout=0.2, loss=dict(type='CrossEntropyLoss', label_smoothing=0.1)),
)
