"""Random numbers that depend on what they are for, never on where they are drawn.

A draw is a pure function of ``(seed, epoch, clip index, name, position)``: splitmix64 over int64 tensors. One process, two ranks, any number of
workers, a resumed run and a test that names one draw all get the same numbers; nothing is stored and nothing advances.
"""

import hashlib
import math
from functools import lru_cache
from typing import Tuple, Union

import torch
from torch import Tensor

_GAMMA = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_MASK = (1 << 64) - 1


def _signed(value: int) -> int:
    """The int64 with the same 64 bits as ``value``."""
    value &= _MASK
    return value - (1 << 64) if value >> 63 else value


def _mix_int(z: int) -> int:
    """splitmix64's finaliser on a Python int; the same bits as :func:`_mix` on a tensor."""
    z &= _MASK
    z = ((z ^ (z >> 30)) * _MIX_1) & _MASK
    z = ((z ^ (z >> 27)) * _MIX_2) & _MASK
    return z ^ (z >> 31)


def _mix(z: Tensor) -> Tensor:
    """splitmix64's finaliser on int64 tensors (multiplication wraps; ``>>`` is arithmetic, so the sign bits are masked off)."""
    z = _mix_high(z)
    return z ^ ((z >> 31) & ((1 << 33) - 1))


def _mix_high(z: Tensor) -> Tensor:
    """:func:`_mix` without its last step, which leaves the upper 31 bits as they are."""
    z = (z ^ ((z >> 30) & ((1 << 34) - 1))) * _signed(_MIX_1)
    return (z ^ ((z >> 27) & ((1 << 37) - 1))) * _signed(_MIX_2)


@lru_cache(maxsize=4096)
def _name_key(seed: int, name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return _mix_int(_mix_int(seed + _GAMMA) ^ int.from_bytes(digest, 'little'))


class Draws:
    """The random numbers of one batch.

    Args:
        seed (int): The run's seed.
        epoch (int | Tensor): The epoch, or one per clip, shape (B,) int64.
        index (Tensor): Shape (B,) int64, each clip's index in its data set; clips with equal index draw equal numbers.
        prefix (str): Put before every name; ``child`` sets it.

    Example:
        >>> draws = Draws(seed=0, epoch=3, index=torch.tensor([7, 8]))
        >>> draws.uniform('rotation', low=-1, high=1).shape
        torch.Size([2])
        >>> draws.uniform('mask', 32, 2).shape  # 32 frames, 2 hands
        torch.Size([2, 32, 2])
    """

    def __init__(self, seed: int, epoch: Union[int, Tensor], index: Tensor, prefix: str = '') -> None:
        if index.dtype != torch.int64 or index.ndim != 1:
            raise TypeError(f'index must be a 1-D int64 tensor, got {index.dtype} of shape {tuple(index.shape)}')
        self.seed, self.epoch, self.index, self.prefix = int(seed), epoch, index, prefix

    def child(self, name: str) -> 'Draws':
        """The same clips' draws under another name space, for instance a second view's."""
        return Draws(self.seed, self.epoch, self.index, f'{self.prefix}{name}/')

    def bits(self, name: str, *shape: int) -> Tensor:
        """64 random bits each: int64, shape (B, *shape)."""
        return _mix(self._states(name, shape)).reshape(len(self.index), *shape)

    def _states(self, name: str, shape: Tuple[int, ...]) -> Tensor:
        """What the last mixing turns into bits: int64, shape (B, positions)."""
        key = _signed(_name_key(self.seed, self.prefix + name))
        # chained, not summed: (epoch, index) pairs must not collide
        state = _mix(
            torch.zeros_like(self.index) + (self.epoch * _signed(_GAMMA) if isinstance(self.epoch, Tensor) else _signed(self.epoch * _GAMMA)) + key
        )
        state = _mix(state + (self.index + 1) * _signed(_GAMMA))
        position = torch.arange(1, math.prod(shape) + 1, device=state.device) * _signed(_GAMMA)
        return state[:, None] + position

    def upper_bits(self, name: str, *shape: int) -> Tensor:
        """The upper 24 of :meth:`bits`, of which :meth:`uniform` is made: int64 in 0 .. 2**24 - 1, shape (B, *shape)."""
        return ((_mix_high(self._states(name, shape)) >> 40) & ((1 << 24) - 1)).reshape(len(self.index), *shape)

    def uniform(self, name: str, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Uniform in [low, high): float32, shape (B, *shape)."""
        unit = self.upper_bits(name, *shape).to(torch.float32) * 2.0**-24
        return unit if low == 0.0 and high == 1.0 else low + (high - low) * unit

    def integers(self, name: str, high: Union[int, Tensor], *shape: int) -> Tensor:
        """Uniform in 0 .. high - 1: int64, shape (B, *shape); ``high`` is a number or a tensor that broadcasts, at least 1."""
        unit = ((self.bits(name, *shape) >> 24) & ((1 << 40) - 1)).to(torch.float64) * 2.0**-40
        return (unit * high).to(torch.int64)

    def bernoulli(self, name: str, p: float, *shape: int) -> Tensor:
        """True with probability ``p``: bool, shape (B, *shape)."""
        return self.uniform(name, *shape) < p
