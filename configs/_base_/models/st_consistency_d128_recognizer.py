# The recogniser over the narrow encoder, for few labelled clips.
_base_ = './st_consistency_recognizer.py'
model = dict(encoder={{_base_.encoder_d128}}, head=dict(in_channels=128))
