# WLASL (Li et al. 2020), 2,000 glosses.
_base_ = './labelled_clips.py'

_store = dict(store='data/wlasl2000', prepare='python tools/dataset_converters/pyskl_to_store.py POSES.pkl data/wlasl2000')
train_dataloader = dict(dataset=_store)
test_dataloader = dict(dataset=_store)
val_dataloader = dict(dataset=_store)
