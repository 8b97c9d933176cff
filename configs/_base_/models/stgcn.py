# P of the papers' tables: mmaction2's ST-GCN over a whole skeleton (49 joints: two hands and the trunk),
# joint stream. Another layout: set it here, in SkeletonInput and in the data set; another stream: in
# SkeletonInput.
_skeleton = [dict(type='SkeletonInput', layout='sign_49', stream='joint')]
# what the configs of P read: 64 frames, not given in the paper, empty ones among them
_whole = dict(layout='sign_49', drop_empty_frames=False)
_train_clips = dict(_whole, pipeline=[dict(type='UniformTemporalSample', clip_len=64)])
_test_clips = dict(_whole, pipeline=[dict(type='UniformTemporalSample', clip_len=64, test_mode=True)])
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
