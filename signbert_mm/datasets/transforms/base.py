"""What a batched transform is."""

import inspect
from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Callable, Sequence, Tuple, Union

import torch
from torch import Tensor

from ...draws import Draws
from ...registry import TRANSFORMS


class BatchTransform(ABC):
    """``(batch, draws) -> batch``: a dict of tensors with leading batch axis B, and the batch's random numbers.

    One class serves a worker, a test and the device. A transform may add keys and replace tensors; it does not write into tensors it was given. All
    its random numbers come from ``draws``, under names that begin with the transform's own.
    """

    @abstractmethod
    def __call__(self, batch: dict, draws: Draws) -> dict:
        """Transforms a batch.

        Args:
            batch (dict): Tensors with leading axis B.
            draws (Draws): The random numbers of these B clips.

        Returns:
            dict: The batch; it may be the same dict.
        """

    def __repr__(self) -> str:
        names = [name for name in inspect.signature(type(self).__init__).parameters if name != 'self']
        return f'{type(self).__name__}({", ".join(f"{name}={_shown(getattr(self, name))}" for name in names if hasattr(self, name))})'


def _shown(value: object) -> str:
    name = getattr(value, 'name', None)  # a Layout by its name
    return repr(name if isinstance(name, str) else value)


@lru_cache(maxsize=64)
def constant_index(values: Tuple[int, ...], device: torch.device) -> Tensor:
    """A constant index, copied to its device once: every copy from the host would wait for the device."""
    return torch.tensor(values, device=device)


@TRANSFORMS.register_module()
class Compose(BatchTransform):
    """Transforms one after the other.

    Args:
        transforms (Sequence[dict | Callable]): Configs or transforms.

    Raises:
        TypeError: One is neither a config nor callable.
    """

    def __init__(self, transforms: Sequence[Union[dict, Callable]]) -> None:
        self.transforms = [TRANSFORMS.build(transform) if isinstance(transform, dict) else transform for transform in transforms]
        for place, transform in enumerate(self.transforms):
            if not callable(transform):
                raise TypeError(f'Compose: transform {place} is {transform!r}; give a config (dict) or a callable')

    def __call__(self, batch: dict, draws: Draws) -> dict:
        for transform in self.transforms:
            batch = transform(batch, draws)
        return batch
