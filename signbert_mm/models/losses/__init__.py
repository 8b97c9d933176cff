from torch import nn

from ...registry import MODELS
from .hand_regularization import HandRegularization
from .reconstruction_loss import ReconstructionLoss, mean_over_chosen

MODELS.register_module(name='CrossEntropyLoss', module=nn.CrossEntropyLoss)

__all__ = ['HandRegularization', 'ReconstructionLoss', 'mean_over_chosen']
