"""P: as its base, bone stream."""

_base_ = './stgcn_sign49-joint_b64-80e_nmfs_csl.py'

_skeleton = [dict(type='SkeletonInput', layout='sign_49', stream='bone')]
model = dict(data_preprocessor=dict(train_pipeline=_skeleton, test_pipeline=_skeleton))
