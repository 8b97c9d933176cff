# NMFs-CSL at full width; pre-training on the training splits that are there.
_base_ = ['../parts/data_sets.py']
title = 'NMFs-CSL'
bases = _base_._bases['NMFs-CSL']
