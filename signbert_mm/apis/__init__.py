"""Models by name or config, for use from Python."""

from .model import get_model, init_model, list_models

__all__ = ['get_model', 'init_model', 'list_models']
