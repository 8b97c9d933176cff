from .signbert import SignBERT
from .st_consistency import STConsistency

__all__ = ['STConsistency', 'SignBERT']
