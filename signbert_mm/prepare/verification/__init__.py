"""Checks of a store: its files, its counts against the published ones, and its poses."""

from .official import official_counts
from .report import Problem, StoreReport
from .verify import verify_store

__all__ = ['Problem', 'StoreReport', 'official_counts', 'verify_store']
