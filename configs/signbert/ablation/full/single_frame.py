"""SignBERT at full width, pre-trained and tested on the single hands of STB, every token chosen, as in Table 1."""

_base_ = './sequences.py'

_augment = [dict(type='RandomFlip'), dict(type='RandomAffine', rotation=15.0, scale=(0.9, 1.1), shift=0.05)]
_crop = [dict(type='HandCrop', layout='sign_49'), dict(type='MirrorLeftHand')]
_mask = [dict(type='MaskHandTokens', ratio=1.0, operations=('joint',)), dict(type='ZeroMissing')]
model = dict(data_preprocessor=dict(train_pipeline=_augment + _crop + _mask, test_pipeline=_crop + _mask))
_clips = dict(store='data/stb', prepare='python tools/dataset_converters/stb_to_store.py STB data/stb')
train_dataloader = dict(dataset=dict(_clips, pipeline=[dict(type='RandomTemporalSample', clip_len=1)]))
test_dataloader = dict(dataset=dict(_clips, pipeline=[dict(type='CenterTemporalSample', clip_len=1)]))
