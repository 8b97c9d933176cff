"""Optimizer wrappers."""

from .amp_optim_wrapper import SignAmpOptimWrapper

__all__ = ['SignAmpOptimWrapper']
