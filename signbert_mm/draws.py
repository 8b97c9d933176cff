"""Random numbers that depend on their purpose, never on where they are drawn.

A draw is a pure function of ``(seed, epoch, clip index, name, position)``: splitmix64 over int64 tensors. No
state is stored or advanced. So one process, two ranks, any number of workers, a resumed run and a test that
names one draw all get the same numbers.
"""

import hashlib
import math
from functools import lru_cache
from typing import Dict, Optional, Tuple, Union

import torch
from torch import Tensor

from .errors import UserTypeError

# The constants of splitmix64.
_GAMMA = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_MASK = (1 << 64) - 1


def _signed(value: int) -> int:
    """Returns the int64 with the same 64 bits as ``value``."""
    value &= _MASK
    return value - (1 << 64) if value >> 63 else value


def _mix_int(z: int) -> int:
    """splitmix64's finaliser on a Python int; the same bits as :func:`_mix` on a tensor."""
    z &= _MASK
    z = ((z ^ (z >> 30)) * _MIX_1) & _MASK
    z = ((z ^ (z >> 27)) * _MIX_2) & _MASK
    return z ^ (z >> 31)


def _mix(z: Tensor) -> Tensor:
    """splitmix64's finaliser on int64 tensors; overwrites ``z``."""
    z = _mix_high(z)
    return z.bitwise_xor_((z >> 31).bitwise_and_((1 << 33) - 1))


def _mix_high(z: Tensor) -> Tensor:
    """:func:`_mix` without its last step, which leaves the upper 31 bits as they are."""
    # int64 products wrap as uint64 ones do. `>>` copies the sign bit, so the mask clears what it shifts in.
    z = z.bitwise_xor_((z >> 30).bitwise_and_((1 << 34) - 1)).mul_(_signed(_MIX_1))
    return z.bitwise_xor_((z >> 27).bitwise_and_((1 << 37) - 1)).mul_(_signed(_MIX_2))


def _upper(z: Tensor) -> Tensor:
    """Returns the upper 24 bits; overwrites ``z``."""
    # float32 holds 24 bits exactly.
    return z.bitwise_right_shift_(40).bitwise_and_((1 << 24) - 1)


@lru_cache(maxsize=4096)
def _hashed(seed: int, name: str) -> int:
    # Not Python's hash(): it differs between processes.
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return _signed(_mix_int(_mix_int(seed + _GAMMA) ^ int.from_bytes(digest, 'little')))


# torch.compile would otherwise trace through the cache.
@torch.compiler.assume_constant_result
def _name_key(seed: int, name: str) -> int:
    return _hashed(seed, name)


class DrawPlan:
    """The names under which a pipeline draws, with how many numbers for a clip.

    A draw takes some forty small operators, each a kernel on a GPU, and a pipeline has about twenty draws.
    The plan learns the names as they are drawn, and the next batch's numbers are made together by forty
    operators in all. It never changes a number. A name or a length that it does not know is drawn alone, and
    learned.
    """

    def __init__(self) -> None:
        self._counts: Dict[str, int] = {}
        self._constants: Dict[Tuple[int, torch.device], Tuple[Tensor, Tensor, Tensor]] = {}
        self.places: Dict[str, slice] = {}
        """Columns of :meth:`states` by name."""

    def learn(self, name: str, count: int) -> None:
        """Notes that ``name`` needs ``count`` numbers for a clip."""
        if count <= self._counts.get(name, -1):
            return
        self._counts[name] = count
        # The constants hold one column for each number, so a new name or length makes them anew.
        self._constants.clear()
        end = 0
        for known, number in self._counts.items():
            self.places[known] = slice(end, end := end + number)

    def prepare(self, seed: int, device: torch.device) -> None:
        """Copies the constants of the known names to the device, once."""
        # A copy from the host waits for the device, so it must not happen in each step.
        if self._counts and (seed, device) not in self._constants:
            numbers = list(self._counts.values())
            keys = torch.tensor([_name_key(seed, name) for name in self._counts])
            # The column of keys that each number belongs to.
            owner = torch.repeat_interleave(torch.arange(len(numbers)), torch.tensor(numbers))
            steps = torch.cat([_steps(number, keys.device) for number in numbers])
            self._constants[seed, device] = keys.to(device), owner.to(device), steps.to(device)

    def states(self, seed: int, epoch: Union[int, Tensor], index: Tensor) -> Tensor:
        """States of all names, which the last mixing turns into bits: int64, shape (B, positions)."""
        self.prepare(seed, index.device)
        keys, owner, steps = self._constants[seed, index.device]
        return _clip_states(epoch, index, keys).index_select(1, owner).add_(steps)


def _steps(count: int, device: torch.device) -> Tensor:
    """Distinguishes the positions of one name: 1, 2, ... times gamma, int64, shape (count,)."""
    # A cumulative sum wraps. In the C++ of torch.compile a product may not overflow.
    return torch.full((count,), _signed(_GAMMA), device=device).cumsum(0)


def _clip_states(epoch: Union[int, Tensor], index: Tensor, keys: Union[int, Tensor]) -> Tensor:
    """The state from which a clip's numbers under each key begin: int64, shape (B, keys)."""
    rounds = (
        epoch[:, None] * _signed(_GAMMA)
        if isinstance(epoch, Tensor)
        else torch.full_like(index[:, None], _signed(epoch * _GAMMA))
    )
    # The index is added after a mixing. In a plain sum, (epoch, index) pairs would collide.
    return _mix(_mix(rounds + keys).add_((index[:, None] + 1) * _signed(_GAMMA)))


class Draws:
    """The random numbers of one batch.

    Args:
        seed (int): The run's seed.
        epoch (int | Tensor): The epoch, or one per clip, shape (B,) int64.
        index (Tensor): Shape (B,) int64, each clip's index in its data set. Clips with equal indices draw
            equal numbers.
        prefix (str): Put before every name; ``child`` sets it.
        plan (DrawPlan, optional): What earlier batches of the same pipeline drew. No number depends on it.

    Raises:
        TypeError: ``index`` is not a 1-D int64 tensor.

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
        """Draws of the same clips in a name space of their own, for instance a second view's."""
        child = Draws(self.seed, self.epoch, self.index, f'{self.prefix}{name}/', self._plan)
        # Shared, so that the views' numbers are made together too.
        child._together = self._together
        return child

    def bits(self, name: str, *shape: int) -> Tensor:
        """Draws 64 random bits each: int64, shape (B, *shape)."""
        planned = self._planned('bits', name, shape)
        return (
            _mix(self._states(name, shape)).reshape(len(self.index), *shape) if planned is None else planned
        )

    def _states(self, name: str, shape: Tuple[int, ...]) -> Tensor:
        """States that the last mixing turns into bits: int64, shape (B, positions)."""
        state = _clip_states(self.epoch, self.index, _name_key(self.seed, self.prefix + name))
        return state + _steps(math.prod(shape), state.device)

    def _planned(self, kind: str, name: str, shape: Tuple[int, ...]) -> Optional[Tensor]:
        """Takes these numbers from those of the whole plan, or returns None if the plan lacks them."""
        if self._plan is None:
            return None
        made, name, count = self._together, self.prefix + name, math.prod(shape)
        # The batch's first draw makes the numbers of all known names.
        if not made:
            # A copy: the plan may learn names during the batch.
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
        """Draws the upper 24 of :meth:`bits`: int64 from 0 to 2**24 - 1, shape (B, *shape)."""
        planned = self._planned('upper', name, shape)
        return (
            _upper(_mix_high(self._states(name, shape))).reshape(len(self.index), *shape)
            if planned is None
            else planned
        )

    def uniform(self, name: str, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Draws uniformly from [low, high): float32, shape (B, *shape)."""
        unit = self.upper_bits(name, *shape).to(torch.float32) * 2.0**-24
        return unit if low == 0.0 and high == 1.0 else low + (high - low) * unit

    def integers(self, name: str, high: Union[int, Tensor], *shape: int) -> Tensor:
        """Draws uniformly from the integers 0 to ``high`` - 1: int64, shape (B, *shape).

        ``high`` is a number or a tensor that broadcasts, at least 1.
        """
        # 40 random bits as a fraction in [0, 1), exact in float64.
        unit = ((self.bits(name, *shape) >> 24) & ((1 << 40) - 1)).to(torch.float64) * 2.0**-40
        return (unit * high).to(torch.int64)

    def bernoulli(self, name: str, p: float, *shape: int) -> Tensor:
        """Draws True with probability ``p``: bool, shape (B, *shape)."""
        return self.uniform(name, *shape) < p
