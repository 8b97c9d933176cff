"""Synthetic signs: a generator with vocabulary, signers, cameras and a detector model."""

from .detector import DetectorOdds
from .generator import FPS, SYNTHETIC_NOTE, SyntheticBatch, SyntheticSigns

__all__ = ['FPS', 'SYNTHETIC_NOTE', 'DetectorOdds', 'SyntheticBatch', 'SyntheticSigns']
