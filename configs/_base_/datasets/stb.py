# STB (Zhang et al. 2017): single frames of a left hand, annotated joints; the wrist is not among them. No
# validation split.
_base_ = './labelled_clips.py'

_store = dict(
    store='data/stb', side='left', prepare='python tools/dataset_converters/stb_to_store.py STB data/stb'
)
# section 4.1: single frames
train_dataloader = dict(dataset=dict(**_store, pipeline=[dict(type='RandomTemporalSample', clip_len=1)]))
test_dataloader = dict(dataset=dict(**_store, pipeline=[dict(type='CenterTemporalSample', clip_len=1)]))
val_dataloader = None
val_evaluator = None
test_evaluator = dict(_delete_=True, type='PoseAUC')
