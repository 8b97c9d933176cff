# SLR500 (Huang et al. 2019), 500 glosses; no validation split: hold out signers of train to choose anything.
_base_ = './labelled_clips.py'

_store = dict(store='data/slr500', prepare='python tools/dataset_converters/pyskl_to_store.py POSES.pkl data/slr500')
train_dataloader = dict(dataset=_store)
test_dataloader = dict(dataset=_store)
val_dataloader = None
val_evaluator = None
