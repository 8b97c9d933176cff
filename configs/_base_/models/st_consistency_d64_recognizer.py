# The recogniser over the encoder that a laptop's core pre-trains.
_base_ = './st_consistency_recognizer.py'
model = dict(encoder={{_base_.encoder_d64}}, head=dict(in_channels=64))
