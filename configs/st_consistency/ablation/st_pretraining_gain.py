_base_ = '../../signbert/ablation/pretraining_gain.py'
title = 'What pre-training adds to ST-Consistency: the same recogniser with and without it, in %'
# WLASL, all official clips, hands and trunk
paper = {
    '_delete_': True,
    'WLASL100 P-I': [None, None, 72.09, 86.43],
    'WLASL300 P-I': [None, None, 59.58, 77.84],
    'WLASL2000 P-I': [None, None, 32.35, 51.98],
}
