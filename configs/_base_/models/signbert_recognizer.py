# SignBERT's recogniser at full width: the decoder replaced by the prediction head, nothing masked.
_augment = [dict(type='RandomFlip'), dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), shift=0.05)]
_crop = [dict(type='HandCrop', layout='sign_49'), dict(type='MirrorLeftHand'), dict(type='ZeroMissing')]

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
    type='SignRecognizer',
    data_preprocessor=dict(type='SignDataPreprocessor', train_pipeline=_augment + _crop, test_pipeline=_crop),
    embedder=dict(type='HandTokenEmbedder', gesture=_gesture),
    backbone=dict(
        type='HandTransformer',
        embed_dims=512,
        num_layers=3,
        num_heads=8,
        feedforward_channels=2048,
        dropout=0.1,
    ),
    head=dict(type='SignHead', in_channels=512, dropout=0.5, loss=dict(type='CrossEntropyLoss')),
)
