"""What leaves a model: one SignDataSample a clip."""

from .sign_data_sample import SignDataSample

__all__ = ['SignDataSample']
