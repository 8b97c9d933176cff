# MS-ASL (Joze and Koller 2019), 1,000 glosses.
_base_ = './labelled_clips.py'

_store = dict(store='data/msasl1000', prepare='python tools/dataset_converters/pyskl_to_store.py POSES.pkl data/msasl1000')
train_dataloader = dict(dataset=_store)
test_dataloader = dict(dataset=_store)
val_dataloader = dict(dataset=_store)
