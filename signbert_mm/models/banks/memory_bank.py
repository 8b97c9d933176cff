"""Keys of the most recent clips (ST-Consistency, pre-training)."""

from typing import Dict, Sequence

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather
from torch import Tensor, nn

from ...errors import UserKeyError, UserValueError
from ...registry import MODELS

INIT = ('empty', 'random')


def gather_in_sampler_order(values: Tensor) -> Tensor:
    """The rows of all processes, in the order in which one process with the full batch would have them.

    Args:
        values (Tensor): Shape (B, ...), equally many rows on each process, as the sampler's default
            ``round_up=True`` ensures.

    Returns:
        Tensor: Shape (W B, ...), without gradient.
    """
    parts = all_gather(values.detach().contiguous())
    # DefaultSampler gives process r of W the clips r, r + W, r + 2 W, .., so the rows are interleaved.
    return parts[0] if len(parts) == 1 else torch.stack(parts, dim=1).flatten(0, 1)


@MODELS.register_module()
class MemoryBank(nn.Module):
    """Ring buffers of the last ``size`` keys, one for each of ``groups``.

    All rings share one pointer, so a slot holds the same clip in every group. The order is that of the clips,
    whatever the number of processes. The oldest keys are overwritten, and a ring may wrap round within a
    batch. A key of zeros is no key: the slot was never written, or the clip shows no such part. Keys and
    pointer are buffers, so a resumed run continues with them. Nothing waits for the device.

    Args:
        size (int): N, keys a group; 16,384 in the paper.
        channels (int): Length of a key; 128 in the paper.
        groups (Sequence[str]): Names of the rings.
        init (str): 'empty' = slots are no keys until they are written; 'random' = directions drawn uniformly,
            as in MoCo (not given in the paper).

    Raises:
        ValueError: A size or width below 1, groups that are not distinct, or an unknown ``init``.
    """

    def __init__(
        self,
        size: int = 16384,
        channels: int = 128,
        groups: Sequence[str] = ('hand', 'trunk'),
        init: str = 'empty',
    ) -> None:
        super().__init__()
        if size < 1 or channels < 1:
            raise UserValueError(
                f'MemoryBank: size and channels must be at least 1, got {size} and {channels}'
            )
        if not groups or len(set(groups)) < len(groups):
            raise UserValueError(f'MemoryBank: groups must be distinct names, got {list(groups)}')
        if init not in INIT:
            raise UserValueError(f'MemoryBank: init must be one of {INIT}, got {init!r}')
        self.size, self.channels, self.groups, self.init = size, channels, tuple(groups), init
        shape = (len(self.groups), size, channels)
        self.register_buffer(
            'keys', torch.zeros(shape) if init == 'empty' else F.normalize(torch.randn(shape), dim=-1)
        )
        self.register_buffer('pointer', torch.zeros((), dtype=torch.int64))
        self.register_buffer('held', None, persistent=False)

    def extra_repr(self) -> str:
        return f'size={self.size}, channels={self.channels}, groups={self.groups}, init={self.init!r}'

    def snapshot(self, held: bool = False) -> Dict[str, Tensor]:
        """A copy (N, C) of each group's ring, which a later :meth:`push` does not change.

        Args:
            held (bool): The rings as they were at the last :meth:`hold`, if there was one.
        """
        # The backward pass needs the keys of the forward pass, so views would not do.
        return dict(zip(self.groups, (self.held if held and self.held is not None else self.keys).clone()))

    @torch.no_grad()
    def hold(self) -> None:
        """Stores the present rings for ``snapshot(held=True)``.

        Batches whose gradients are accumulated then see one bank, as one large batch does.
        """
        if self.held is None:
            self.held = self.keys.clone()
        else:
            self.held.copy_(self.keys)

    @torch.no_grad()
    def push(self, keys: Dict[str, Tensor]) -> None:
        """Writes the keys of a batch, those of all processes, over the oldest.

        Args:
            keys (dict[str, Tensor]): For each group, shape (B, C); zeros = the clip has no such part. Of a
                batch larger than the ring the last ``size`` keys stay.

        Raises:
            KeyError: The groups are not those of the bank.
            ValueError: Keys of another length.
        """
        if set(keys) != set(self.groups):
            raise UserKeyError(
                f'MemoryBank: keys of {sorted(keys)}, but the groups are {sorted(self.groups)}'
            )
        # (B, G, C)
        rows = torch.stack([keys[group] for group in self.groups], dim=1)
        if rows.shape[2:] != self.keys.shape[2:]:
            raise UserValueError(
                f'MemoryBank: keys of length {rows.shape[2]}, but the bank holds keys of length '
                f'{self.channels}'
            )
        # (G, W B, C)
        rows = gather_in_sampler_order(rows).transpose(0, 1).to(self.keys.dtype)
        count = rows.shape[1]
        # Rows before ``first`` would be overwritten by later rows of the same batch, in no defined order.
        first = max(count - self.size, 0)
        slots = (self.pointer + torch.arange(first, count, device=self.keys.device)) % self.size
        self.keys.index_copy_(1, slots, rows[:, first:])
        # In place on the device: the pointer's value is never read back.
        self.pointer.add_(count).remainder_(self.size)
