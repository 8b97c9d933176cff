"""P: as its base, all 133 joints."""

_base_ = './stgcn_sign49-joint_b64-80e_wlasl2000.py'

_skeleton = [dict(type='SkeletonInput', layout='coco_wholebody_133', stream='joint')]
model = dict(
    layout='coco_wholebody_133', data_preprocessor=dict(train_pipeline=_skeleton, test_pipeline=_skeleton)
)
_whole = dict(dataset=dict(layout='coco_wholebody_133'))
train_dataloader = _whole
val_dataloader = _whole
test_dataloader = _whole
