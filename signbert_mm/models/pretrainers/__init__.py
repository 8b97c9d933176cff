from .signbert import SignBERT

__all__ = ['SignBERT']
