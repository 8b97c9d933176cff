"""Random numbers that depend on what they are for, never on where they are drawn.

A draw is a pure function of ``(seed, epoch, clip index, name, position)``: splitmix64 over int64 tensors. One
process, two ranks, any number of workers, a resumed run and a test that names one draw all get the same
numbers; nothing is stored and nothing advances.
"""

import hashlib
import math
from functools import lru_cache
from typing import Dict, Optional, Tuple, Union

import torch
from torch import Tensor

from .errors import UserTypeError

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
    """splitmix64's finaliser on int64 tensors (multiplication wraps; ``>>`` is arithmetic, so the sign bits
    are masked off); overwrites ``z``.
    """
    z = _mix_high(z)
    return z.bitwise_xor_((z >> 31).bitwise_and_((1 << 33) - 1))


def _mix_high(z: Tensor) -> Tensor:
    """:func:`_mix` without its last step, which leaves the upper 31 bits as they are."""
    z = z.bitwise_xor_((z >> 30).bitwise_and_((1 << 34) - 1)).mul_(_signed(_MIX_1))
    return z.bitwise_xor_((z >> 27).bitwise_and_((1 << 37) - 1)).mul_(_signed(_MIX_2))


def _upper(z: Tensor) -> Tensor:
    """The upper 24 bits; overwrites ``z``."""
    return z.bitwise_right_shift_(40).bitwise_and_((1 << 24) - 1)


@lru_cache(maxsize=4096)
def _hashed(seed: int, name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return _signed(_mix_int(_mix_int(seed + _GAMMA) ^ int.from_bytes(digest, 'little')))


@torch.compiler.assume_constant_result  # a cached function would be traced through its cache
def _name_key(seed: int, name: str) -> int:
    return _hashed(seed, name)


class DrawPlan:
    """The names under which a pipeline draws, and how many numbers a clip: learned as they are asked for, so
    that the next batch's are made together.

    A draw is some forty small operators, alone or together with all others; on a GPU each is a kernel, and a
    pipeline has a score of draws. The plan changes what is computed when, never a number: a name or a length
    it does not know is drawn alone, and learned.
    """

    def __init__(self) -> None:
        self._counts: Dict[str, int] = {}
        self._constants: Dict[Tuple[int, torch.device], Tuple[Tensor, Tensor, Tensor]] = {}
        self.places: Dict[str, slice] = {}
        """Name to its columns in :meth:`states`."""

    def learn(self, name: str, count: int) -> None:
        """``count`` numbers a clip were asked for under ``name``."""
        if count <= self._counts.get(name, -1):
            return
        self._counts[name] = count
        self._constants.clear()
        end = 0
        for known, number in self._counts.items():
            self.places[known] = slice(end, end := end + number)

    def prepare(self, seed: int, device: torch.device) -> None:
        """Brings the constants of what is known to the device, once: a copy from the host waits for the
        device.
        """
        if self._counts and (seed, device) not in self._constants:
            numbers = list(self._counts.values())
            keys = torch.tensor([_name_key(seed, name) for name in self._counts])
            owner = torch.repeat_interleave(torch.arange(len(numbers)), torch.tensor(numbers))
            steps = torch.cat([_steps(number, keys.device) for number in numbers])
            self._constants[seed, device] = keys.to(device), owner.to(device), steps.to(device)

    def states(self, seed: int, epoch: Union[int, Tensor], index: Tensor) -> Tensor:
        """What the last mixing turns into bits, of all names: int64, shape (B, positions)."""
        self.prepare(seed, index.device)
        keys, owner, steps = self._constants[seed, index.device]
        return _clip_states(epoch, index, keys).index_select(1, owner).add_(steps)


def _steps(count: int, device: torch.device) -> Tensor:
    """What tells the positions of one name apart: 1, 2, .. times gamma.

    As a sum: in the C++ of torch.compile no product of places may overflow.
    """
    return torch.full((count,), _signed(_GAMMA), device=device).cumsum(0)


def _clip_states(epoch: Union[int, Tensor], index: Tensor, keys: Union[int, Tensor]) -> Tensor:
    """The state from which a clip's numbers under each key begin: int64, shape (B, keys); a number is one
    key.
    """
    rounds = (
        epoch[:, None] * _signed(_GAMMA)
        if isinstance(epoch, Tensor)
        else torch.full_like(index[:, None], _signed(epoch * _GAMMA))
    )
    # chained, not summed: (epoch, index) pairs must not collide
    return _mix(_mix(rounds + keys).add_((index[:, None] + 1) * _signed(_GAMMA)))


class Draws:
    """The random numbers of one batch.

    Args:
        seed (int): The run's seed.
        epoch (int | Tensor): The epoch, or one per clip, shape (B,) int64.
        index (Tensor): Shape (B,) int64, each clip's index in its data set; clips with equal index draw equal
            numbers.
        prefix (str): Put before every name; ``child`` sets it.
        plan (DrawPlan, optional): What earlier batches drew, where batches follow that draw the same; no
            number depends on it.

    Example:
        >>> draws = Draws(seed=0, epoch=3, index=torch.tensor([7, 8]))
        >>> draws.uniform('rotation', low=-1, high=1).shape
        torch.Size([2])
        >>> draws.uniform('mask', 32, 2).shape  # 32 frames, 2 hands
        torch.Size([2, 32, 2])
    """

    def __init__(
        self,
        seed: int,
        epoch: Union[int, Tensor],
        index: Tensor,
        prefix: str = '',
        plan: Optional[DrawPlan] = None,
    ) -> None:
        if index.dtype != torch.int64 or index.ndim != 1:
            raise UserTypeError(
                f'index must be a 1-D int64 tensor, got {index.dtype} of shape {tuple(index.shape)}'
            )
        self.seed, self.epoch, self.index, self.prefix = int(seed), epoch, index, prefix
        self._plan, self._together = plan, {}

    def child(self, name: str) -> 'Draws':
        """The same clips' draws under another name space, for instance a second view's."""
        child = Draws(self.seed, self.epoch, self.index, f'{self.prefix}{name}/', self._plan)
        child._together = self._together
        return child

    def bits(self, name: str, *shape: int) -> Tensor:
        """64 random bits each: int64, shape (B, *shape)."""
        planned = self._planned('bits', name, shape)
        return (
            _mix(self._states(name, shape)).reshape(len(self.index), *shape) if planned is None else planned
        )

    def _states(self, name: str, shape: Tuple[int, ...]) -> Tensor:
        """What the last mixing turns into bits: int64, shape (B, positions)."""
        state = _clip_states(self.epoch, self.index, _name_key(self.seed, self.prefix + name))
        return state + _steps(math.prod(shape), state.device)

    def _planned(self, kind: str, name: str, shape: Tuple[int, ...]) -> Optional[Tensor]:
        """These numbers among those of the whole plan, which are made when the first is asked for; None where
        they are not in it.
        """
        if self._plan is None:
            return None
        made, name, count = self._together, self.prefix + name, math.prod(shape)
        if not made:
            made['places'] = dict(self._plan.places)
            if made['places']:
                bits = _mix(self._plan.states(self.seed, self.epoch, self.index))
                made.update(bits=bits, upper=_upper(bits.clone()))
        place = made['places'].get(name)
        if place is None or place.stop - place.start < count:
            self._plan.learn(name, count)
            return None
        return made[kind][:, place.start : place.start + count].reshape(len(self.index), *shape)

    def upper_bits(self, name: str, *shape: int) -> Tensor:
        """The upper 24 of :meth:`bits`, of which :meth:`uniform` is made: int64 in 0 ..

        2**24 - 1, shape (B, *shape).
        """
        planned = self._planned('upper', name, shape)
        return (
            _upper(_mix_high(self._states(name, shape))).reshape(len(self.index), *shape)
            if planned is None
            else planned
        )

    def uniform(self, name: str, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Uniform in [low, high): float32, shape (B, *shape)."""
        unit = self.upper_bits(name, *shape).to(torch.float32) * 2.0**-24
        return unit if low == 0.0 and high == 1.0 else low + (high - low) * unit

    def integers(self, name: str, high: Union[int, Tensor], *shape: int) -> Tensor:
        """Uniform in 0 ..

        high - 1: int64, shape (B, *shape); ``high`` is a number or a tensor that broadcasts, at least 1.
        """
        unit = ((self.bits(name, *shape) >> 24) & ((1 << 40) - 1)).to(torch.float64) * 2.0**-40
        return (unit * high).to(torch.int64)

    def bernoulli(self, name: str, p: float, *shape: int) -> Tensor:
        """True with probability ``p``: bool, shape (B, *shape)."""
        return self.uniform(name, *shape) < p
