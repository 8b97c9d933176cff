# The default benchmark of synthetic signs: 100 glosses; the signers of val and test are not in train.
_base_ = './labelled_clips.py'

_store = dict(
    store='data/synthetic', prepare='python tools/dataset_converters/make_synthetic.py data/synthetic'
)
train_dataloader = dict(dataset=_store)
test_dataloader = dict(dataset=_store)
val_dataloader = dict(dataset=_store)
