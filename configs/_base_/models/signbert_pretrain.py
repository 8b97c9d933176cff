# SignBERT's pre-trainer at full width.
# Widths, heads, dropout and the crop are not given in the paper; N = 3, 25 + 10 hand parameters and the loss
# weights are.
_augment = [dict(type='RandomFlip'), dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), shift=0.05)]
_crop = [dict(type='HandCrop', layout='sign_49'), dict(type='MirrorLeftHand')]
_mask = [
    dict(
        type='MaskHandTokens', ratio=0.5, operations=('joint', 'frame', 'identity'), max_joints=7, offset=0.25
    ),
    dict(type='ZeroMissing'),
]

# batch norm over the hands that are found: layer norm over the channels of one node hardly lets the hand
# through
_gesture = dict(
    type='GestureGCN',
    joint_channels=(128, 128, 256),
    part_channels=(512, 512),
    norm='BN',
    input_norm=True,
    output_norm=True,
)
model = dict(
    type='SignBERT',
    data_preprocessor=dict(
        type='SignDataPreprocessor', train_pipeline=_augment + _crop + _mask, test_pipeline=_crop + _mask
    ),
    embedder=dict(type='HandTokenEmbedder', gesture=_gesture),
    backbone=dict(
        type='HandTransformer',
        embed_dims=512,
        num_layers=3,
        num_heads=8,
        feedforward_channels=2048,
        dropout=0.1,
    ),
    decoder=dict(
        type='HandModelDecoder',
        in_channels=512,
        hand_model=dict(type='HandModel', asset='free', num_pca=25),
        rotation='6d',
    ),
    # eq. 7
    loss_rec=dict(type='ReconstructionLoss', eps=0.5),
    # eqs. 6, 8
    loss_reg=dict(type='HandRegularization', weight_beta=10.0, weight_delta=100.0, loss_weight=0.01),
)
