"""signbert_mm: self-supervised sign language recognition from poses."""

from .version import __version__

__all__ = ['__version__']
