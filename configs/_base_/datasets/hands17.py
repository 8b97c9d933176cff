# HANDS17 (Yuan et al. 2017): 99 sequences of a hand, annotated joints, in clips of 32 frames (their length is
# not given in the paper). Which hand it is the owners do not say: the converter checks 'right' against the
# joints. No validation split.
_base_ = './labelled_clips.py'

_store = dict(
    store='data/hands17',
    side='right',
    prepare='python tools/dataset_converters/hands17_to_store.py HANDS17 data/hands17',
)
train_dataloader = dict(dataset=_store)
test_dataloader = dict(dataset=_store)
val_dataloader = None
val_evaluator = None
test_evaluator = dict(_delete_=True, type='PoseAUC')
