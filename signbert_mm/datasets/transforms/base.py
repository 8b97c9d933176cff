"""What a batched transform is."""

import inspect
from abc import ABC, abstractmethod
from typing import Callable, Dict, Sequence, Union

import torch
from torch import Tensor

from ...draws import Draws
from ...errors import UserTypeError
from ...registry import TRANSFORMS


class BatchTransform(ABC):
    """``(batch, draws) -> batch``: a dict of tensors with leading batch axis B, and the batch's random
    numbers.

    One class serves a worker, a test and the device. A transform may add keys and replace tensors; it does
    not write into tensors it was given. All its random numbers come from ``draws``, under names that begin
    with the transform's own.
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
        settings = [f'{name}={_shown(getattr(self, name))}' for name in names if hasattr(self, name)]
        return f'{type(self).__name__}({", ".join(settings)})'


def _shown(value: object) -> str:
    name = getattr(value, 'name', None)  # a Layout by its name
    return repr(name if isinstance(name, str) else value)


class ConstantIndex:
    """Constant numbers as a tensor on any device, copied there once: every copy from the host would wait for
    the device.

    Args:
        values (Sequence[int]): The numbers.
    """

    def __init__(self, values: Sequence[int]) -> None:
        self.values = tuple(values)
        self._copies: Dict[torch.device, Tensor] = {}

    def on(self, device: torch.device) -> Tensor:
        """The int64 tensor there."""
        if device not in self._copies:
            self._copies[device] = torch.tensor(self.values, device=device)
        return self._copies[device]


@TRANSFORMS.register_module()
class Compose(BatchTransform):
    """Transforms one after the other.

    Args:
        transforms (Sequence[dict | Callable]): Configs or transforms.

    Raises:
        TypeError: One is neither a config nor callable.
    """

    def __init__(self, transforms: Sequence[Union[dict, Callable]]) -> None:
        self.transforms = [
            TRANSFORMS.build(transform) if isinstance(transform, dict) else transform
            for transform in transforms
        ]
        for place, transform in enumerate(self.transforms):
            if not callable(transform):
                raise UserTypeError(
                    f'Compose: transform {place} is {transform!r}; give a config (dict) or a callable'
                )

    def __call__(self, batch: dict, draws: Draws) -> dict:
        for transform in self.transforms:
            batch = transform(batch, draws)
        return batch
