# MSASL at full width; pre-training on the training splits that are there.
_base_ = ['../parts/data_sets.py']
title = 'MSASL'
bases = _base_._bases['MSASL']
