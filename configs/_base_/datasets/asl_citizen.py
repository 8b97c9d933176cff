# ASL Citizen (Desai et al. 2023), 2,731 glosses; no signer of test is in train or val
# (docs/dataset_zoo/asl_citizen.md).
_base_ = './labelled_clips.py'

_prepare = (
    'python tools/dataset_converters/asl_citizen_to_store.py ASL_Citizen data/asl_citizen --videos '
    'ASL_Citizen/videos --extractor mediapipe'
)
_store = dict(store='data/asl_citizen', prepare=_prepare)
train_dataloader = dict(dataset=_store)
test_dataloader = dict(dataset=_store)
val_dataloader = dict(dataset=_store)
