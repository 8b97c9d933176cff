"""Batched transforms, one file a family."""

from .base import BatchTransform, Compose
from .temporal import CenterTemporalSample, RandomTemporalSample, TemporalSample, UniformTemporalSample

__all__ = ['BatchTransform', 'CenterTemporalSample', 'Compose', 'RandomTemporalSample', 'TemporalSample', 'UniformTemporalSample']
