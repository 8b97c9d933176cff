# P of the papers' tables: mmaction2's ST-GCN over a whole skeleton (49 joints: two hands and the trunk),
# joint stream. Another layout: set it here, in SkeletonInput and in the data set; another stream: in
# SkeletonInput.
_skeleton = [dict(type='SkeletonInput', layout='sign_49', stream='joint')]
model = dict(
    type='MMActionRecognizer',
    data_preprocessor=dict(type='SignDataPreprocessor', train_pipeline=_skeleton, test_pipeline=_skeleton),
    layout='sign_49',
    model=dict(
        type='RecognizerGCN',
        backbone=dict(type='STGCN', graph_cfg=dict(mode='stgcn_spatial')),
        cls_head=dict(type='GCNHead', num_classes=2000, in_channels=256),
    ),
)
