from torch import nn

from ...registry import MODELS
from .consistency_loss import ConsistencyLoss
from .hand_regularization import HandRegularization
from .info_nce_loss import InfoNCELoss
from .knowledge_transfer_loss import KnowledgeTransferLoss
from .reconstruction_loss import ReconstructionLoss, mean_over_chosen

MODELS.register_module(name='CrossEntropyLoss', module=nn.CrossEntropyLoss)

__all__ = [
    'ConsistencyLoss',
    'HandRegularization',
    'InfoNCELoss',
    'KnowledgeTransferLoss',
    'ReconstructionLoss',
    'mean_over_chosen',
]
