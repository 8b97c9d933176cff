"""Optimizer wrappers."""

from .amp_optim_wrapper import SignAmpOptimWrapper
from .optim_wrapper_constructor import SignOptimWrapperConstructor

__all__ = ['SignAmpOptimWrapper', 'SignOptimWrapperConstructor']
