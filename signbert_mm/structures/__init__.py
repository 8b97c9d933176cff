"""What leaves a model: one SignDataSample a clip."""

from .. import needs_train  # noqa: F401
from .sign_data_sample import SignDataSample

__all__ = ['SignDataSample']
