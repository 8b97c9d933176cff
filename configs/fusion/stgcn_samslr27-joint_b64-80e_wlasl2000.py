"""P: as its base, the 27 joints of SAM-SLR."""

_base_ = './stgcn_sign49-joint_b64-80e_wlasl2000.py'

_skeleton = [dict(type='SkeletonInput', layout='sam_slr_27', stream='joint')]
model = dict(layout='sam_slr_27', data_preprocessor=dict(train_pipeline=_skeleton, test_pipeline=_skeleton))
_whole = dict(dataset=dict(layout='sam_slr_27'))
train_dataloader = _whole
val_dataloader = _whole
test_dataloader = _whole
