"""SignBERT of ten times the parameters (108 million), its Transformer layers in shards; not in the paper.

Start it with one process a GPU, in bfloat16: tools/dist_train.sh CONFIG 8 --amp (docs/user_guides/scale.md).
"""

_base_ = './signbert_d512-n3_b64-60e_pretrain-synthetic.py'

model = dict(
    embedder=dict(gesture=dict(joint_channels=(256, 256, 512), part_channels=(1024, 1024))),
    backbone=dict(embed_dims=1024, num_layers=8, num_heads=16, feedforward_channels=4096),
    decoder=dict(in_channels=1024),
)
runner_type = 'FlexibleRunner'
strategy = dict(
    type='FSDPStrategy',
    model_wrapper=dict(auto_wrap_policy=dict(type='wrap_layers', classes=['TransformerEncoderLayer'])),
)
optim_wrapper = dict(optimizer=dict(lr=1e-4), clip_grad=dict(max_norm=1.0))
