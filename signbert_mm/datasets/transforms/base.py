"""What a batched transform is."""

import copy
import inspect
from abc import ABC, abstractmethod
from numbers import Integral, Real
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Union

import torch
from torch import Tensor

from ...draws import Draws
from ...errors import UserTypeError, UserValueError
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

    def refuse_masked(self, batch: dict) -> None:
        """Refuses a batch that is masked, for a transform that would leave its ``target`` behind.

        Raises:
            ValueError: The batch has a ``target``.
        """
        if 'target' in batch:
            raise UserValueError(
                f'{type(self).__name__}: the batch is masked, and its `target` would no longer fit its '
                f'`hands`; put {type(self).__name__} before MaskHandTokens'
            )

    def __repr__(self) -> str:
        # The settings are the constructor's arguments that the object keeps under their own names.
        names = [name for name in inspect.signature(type(self).__init__).parameters if name != 'self']
        settings = [f'{name}={_shown(getattr(self, name))}' for name in names if hasattr(self, name)]
        return f'{type(self).__name__}({", ".join(settings)})'


def _shown(value: object) -> str:
    # A Layout is shown by its name.
    name = getattr(value, 'name', None)
    return repr(name if isinstance(name, str) else value)


def check_share(owner: str, **values: float) -> None:
    """Checks probabilities and shares.

    Args:
        owner (str): Whose arguments they are.
        **values (float): The arguments by name.

    Raises:
        ValueError: One is not a number in [0, 1].
    """
    for name, value in values.items():
        if not (isinstance(value, Real) and 0 <= value <= 1):
            raise UserValueError(f'{owner}: {name} must lie in [0, 1], got {value!r}')


def check_whole(owner: str, low: int = 1, high: Optional[int] = None, **values: int) -> None:
    """Checks whole numbers.

    Args:
        owner (str): Whose arguments they are.
        low (int): The smallest that is allowed.
        high (int, optional): The largest.
        **values (int): The arguments by name.

    Raises:
        ValueError: One is no whole number in this range.
    """
    for name, value in values.items():
        if not (isinstance(value, Integral) and low <= value and (high is None or value <= high)):
            span = f'be at least {low}' if high is None else f'lie in {low}..{high}'
            whole = '' if isinstance(value, Integral) else '; give a whole number'
            raise UserValueError(f'{owner}: {name} must {span}, got {value!r}{whole}')


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
        return run_steps(self.transforms, batch, draws)


def run_steps(transforms: Sequence[Callable[[dict, Draws], dict]], batch: dict, draws: Draws) -> dict:
    """Runs transforms one after the other.

    Raises:
        TypeError: One does not return a batch.
    """
    for transform in transforms:
        batch = transform(batch, draws)
        if not isinstance(batch, dict):
            name = getattr(transform, '__name__', type(transform).__name__)
            raise UserTypeError(
                f'transform {name} returned {type(batch).__name__} and not the batch, a dict; end its '
                '__call__ with `return batch`'
            )
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
