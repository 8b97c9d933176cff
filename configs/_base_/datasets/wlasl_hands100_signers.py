# The clips of WLASL hands, 100 glosses, divided by signer: the official train and val share their signers.
# Test signers: the first 13 of numpy's RandomState(1).permutation(sorted names); dev: 8 of the next ones.
_signer_clips = dict(
    type='PoseDataset',
    store='data/wlasl_hands100',
    prepare='python tools/dataset_converters/npz_to_store.py wlasl_hands.npz data/wlasl_hands100 --protocol '
    'recorded --subset in100',
    layout='hands_42',
    drop_empty_frames=False,
    empty_clip='drop',
)
_test = ['28', '46', '88', '31', '98', '100', '21', '56', '52', '6', '45', '90', '4']
_dev = ['3', '93', '70', '101', '50', '41', '115', '92']
train_clips = dict(_signer_clips, hold_out=dict(part='train', names=_test + _dev))
dev_clips = dict(_signer_clips, hold_out=dict(part='val', names=_dev), seed=0)
test_clips = dict(_signer_clips, hold_out=dict(part='val', names=_test), seed=0)
