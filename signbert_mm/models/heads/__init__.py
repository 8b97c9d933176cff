from .sign_head import SignHead

__all__ = ['SignHead']
