"""What a batched transform is."""

import copy
import inspect
from abc import ABC, abstractmethod
from typing import Callable, Dict, Iterator, List, Sequence, Union

import torch
from torch import Tensor

from ...draws import Draws
from ...errors import UserTypeError
from ...registry import TRANSFORMS


class BatchTransform(ABC):
    """``(batch, draws) -> batch`` for a dict of tensors whose first axis is the batch, B.

    One class serves a worker, a test and the device. A transform may add keys and replace tensors. It does
    not write into the tensors it is given. All its random numbers come from ``draws``, under names that begin
    with the transform's own.

    Attributes:
        masks (bool): It hides what a pre-trainer has to rebuild. Such a transform is left out where a clip is
            embedded or rebuilt.
        resamples (bool): It changes the frames of a clip.
    """

    masks = False
    resamples = False

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
        # The settings are the constructor's arguments that the object keeps under their own names.
        names = [name for name in inspect.signature(type(self).__init__).parameters if name != 'self']
        settings = [f'{name}={_shown(getattr(self, name))}' for name in names if hasattr(self, name)]
        return f'{type(self).__name__}({", ".join(settings)})'


def _shown(value: object) -> str:
    # A Layout is shown by its name.
    name = getattr(value, 'name', None)
    return repr(name if isinstance(name, str) else value)


class ConstantIndex:
    """Constant numbers as a tensor on any device.

    Args:
        values (Sequence[int]): The numbers.
    """

    def __init__(self, values: Sequence[int]) -> None:
        self.values = tuple(values)
        self._copies: Dict[torch.device, Tensor] = {}

    def on(self, device: torch.device) -> Tensor:
        """The numbers on ``device``, int64, shape (len(values),)."""
        # Each copy from the host waits for the device, so a step must not make one.
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
        for position, transform in enumerate(self.transforms):
            if not callable(transform):
                raise UserTypeError(
                    f'Compose: transform {position} is {transform!r}; give a config (dict) or a callable'
                )

    def __call__(self, batch: dict, draws: Draws) -> dict:
        for transform in self.transforms:
            batch = transform(batch, draws)
        return batch


def steps_in(transforms: Sequence[Callable]) -> Iterator[Callable]:
    """Yields each transform and those inside it."""
    for transform in transforms:
        yield transform
        inner = getattr(transform, 'transforms', ())
        yield from steps_in([inner] if callable(inner) else inner)


def without_masks(transforms: Sequence[Callable]) -> List[Callable]:
    """Returns the transforms without those that mask, also inside other transforms."""
    kept = []
    for transform in transforms:
        if getattr(transform, 'masks', False):
            continue
        # A copy, because the training pipeline still uses the original with its masks.
        if any(getattr(step, 'masks', False) for step in steps_in([transform])):
            transform, inner = copy.copy(transform), transform.transforms
            # `transforms` is a list, or one callable as in MakeViews.
            transform.transforms = without_masks([inner])[0] if callable(inner) else without_masks(inner)
        kept.append(transform)
    return kept
