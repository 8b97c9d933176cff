"""Is a store whole, is it what its owners published, and do its poses look right."""

from .official import official_counts
from .report import Problem, StoreReport
from .verify import verify_store

__all__ = ['Problem', 'StoreReport', 'official_counts', 'verify_store']
