"""Operators that models share: the same values as their plain definitions, in fewer steps."""

from .pooling import max_over_first
from .role_graph_conv import Block, fast_role_graph_conv, role_graph_conv, split_into_blocks

__all__ = ['Block', 'fast_role_graph_conv', 'max_over_first', 'role_graph_conv', 'split_into_blocks']
