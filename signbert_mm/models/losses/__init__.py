from .consistency_loss import ConsistencyLoss
from .cross_entropy_loss import CrossEntropyLoss
from .hand_regularization import HandRegularization
from .info_nce_loss import InfoNCELoss
from .knowledge_transfer_loss import KnowledgeTransferLoss
from .reconstruction_loss import ReconstructionLoss, mean_over_chosen

__all__ = [
    'ConsistencyLoss',
    'CrossEntropyLoss',
    'HandRegularization',
    'InfoNCELoss',
    'KnowledgeTransferLoss',
    'ReconstructionLoss',
    'mean_over_chosen',
]
