"""The earlier name of :mod:`signbert_mm.files.unpickle`, for code that imports it."""

from ...files.unpickle import safe_load, to_array

__all__ = ['safe_load', 'to_array']
