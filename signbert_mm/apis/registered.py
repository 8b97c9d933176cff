"""What the registry finds by name. It imports this module on the first look-up."""

from ..registry import INFERENCERS
from .inferencer import SignInferencer

INFERENCERS.register_module(module=SignInferencer)
