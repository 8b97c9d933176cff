"""Synthetic signs: a generator with vocabulary, signers, cameras and a detector model."""

from .detector import DetectorOdds
from .generator import SYNTHETIC_NOTE, SyntheticBatch, SyntheticSigns
from .plan import FPS
from .store import SyntheticTruth, write_synthetic_store

__all__ = [
    'FPS',
    'SYNTHETIC_NOTE',
    'DetectorOdds',
    'SyntheticBatch',
    'SyntheticSigns',
    'SyntheticTruth',
    'write_synthetic_store',
]
