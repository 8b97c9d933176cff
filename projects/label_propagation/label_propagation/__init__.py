"""Labels of a few clips, spread over clips without labels: label propagation and self-training."""

from .propagation import neighbour_graph, propagate_labels
from .propagation_test_loop import PropagationTestLoop
from .pseudo_label_dataset import PseudoLabelDataset
from .pseudo_label_hook import PseudoLabelHook

__all__ = [
    'PropagationTestLoop',
    'PseudoLabelDataset',
    'PseudoLabelHook',
    'neighbour_graph',
    'propagate_labels',
]
