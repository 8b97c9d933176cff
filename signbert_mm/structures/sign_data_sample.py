"""SignDataSample: annotation and predictions of one clip."""

from typing import Any, Callable, Dict, Optional, Sequence, Union

import numpy as np
import torch
from mmengine.structures import BaseDataElement
from torch import Tensor

from ..errors import UserTypeError, UserValueError

NUM_HANDS, NUM_JOINTS = 2, 21


def _integer(name: str, value: Any) -> int:
    # A bool is an int in Python, and as a class index it is a mistake.
    if isinstance(value, (bool, np.bool_)):
        raise UserTypeError(f'SignDataSample.{name}: expected one integer, got a bool')
    if isinstance(value, (Tensor, np.ndarray)):
        if value.size != 1 if isinstance(value, np.ndarray) else value.numel() != 1:
            raise UserValueError(
                f'SignDataSample.{name}: expected one integer, got shape {tuple(value.shape)}'
            )
        value = value.item()
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise UserTypeError(
            f'SignDataSample.{name}: expected one integer, got {value!r} ({type(value).__name__})'
        )
    return int(value)


def _label(name: str, value: Any) -> Tensor:
    if isinstance(value, Tensor) and value.numel() == 1 and value.dtype in (torch.int64, torch.int32):
        # Stays on its device: reading the number would wait for the GPU.
        return value.reshape(()).long()
    return torch.tensor(_integer(name, value), dtype=torch.int64)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UserTypeError(f'SignDataSample.{name}: expected text, got {value!r} ({type(value).__name__})')
    return str(value)


def _scores(name: str, value: Any) -> Tensor:
    value = torch.as_tensor(value)
    if value.ndim != 1 or not value.is_floating_point():
        raise UserValueError(
            f'SignDataSample.{name}: expected floats of shape (classes,), got {value.dtype} of '
            f'shape {tuple(value.shape)}'
        )
    return value


def _per_token(*tail: int, boolean: bool = False) -> Callable[[str, Any], Tensor]:
    def check(name: str, value: Any) -> Tensor:
        value = torch.as_tensor(value)
        if value.ndim != 1 + len(tail) or tuple(value.shape[1:]) != tail:
            raise UserValueError(
                f'SignDataSample.{name}: expected shape (frames, {", ".join(map(str, tail))}), '
                f'got {tuple(value.shape)}'
            )
        if boolean and value.dtype != torch.bool:
            raise UserTypeError(f'SignDataSample.{name}: expected bool, got {value.dtype}')
        if not boolean and not value.is_floating_point():
            raise UserTypeError(f'SignDataSample.{name}: expected floats, got {value.dtype}')
        return value

    return check


# The check of each named field.
_HANDS = _per_token(NUM_HANDS, NUM_JOINTS, 2)
_FLAGS = _per_token(NUM_HANDS, boolean=True)
_FIELDS: Dict[str, Callable[[str, Any], Any]] = dict(
    gt_label=_label,
    pred_label=_label,
    pred_scores=_scores,
    sample_idx=_integer,
    video_id=_text,
    pred_hands=_HANDS,
    target_hands=_HANDS,
    input_hands=_HANDS,
    hand_scores=_per_token(NUM_HANDS, NUM_JOINTS),
    hand_valid=_FLAGS,
    chosen=_FLAGS,
    boxes=_per_token(NUM_HANDS, 3),
)


class SignDataSample(BaseDataElement):
    """One clip's annotation and predictions.

    Fields are attributes. The ``set_*`` methods set them too and return the sample, so that calls can be
    chained. The fields below are checked and converted to one type however they are set. Any other field is
    stored as it is (a mesh, a video's path).

    Attributes:
        gt_label (Tensor): Scalar int64, the class index; -1 = none. May be set from an int.
        pred_scores (Tensor): Shape (classes,) float, the class scores; logits or probabilities, higher is
            better.
        pred_label (Tensor): Scalar int64, the best class.
        sample_idx (int): The clip's index in the data set. Metrics use it to recognise the duplicates with
            which a sampler fills up the last batch.
        video_id (str): The clip's name in its store.
        pred_hands (Tensor): Shape (T, 2, 21, 2) float, reconstructed joints in [0, 1] of the hand's crop;
            left hand (index 0) mirrored.
        target_hands (Tensor): Likewise, the pose before masking.
        input_hands (Tensor): Likewise, the model's input; joints that masking zeroed are 0.
        hand_scores (Tensor): Shape (T, 2, 21) float in [0, 1], the detector's confidence; 0 = joint not
            annotated.
        hand_valid (Tensor): Shape (T, 2) bool, the hand was detected.
        chosen (Tensor): Shape (T, 2) bool, the token was chosen for masking.
        boxes (Tensor): Shape (T, 2, 3) float, the crops' centre x, centre y and side in pixels of the video.

    Raises:
        TypeError: A named field gets a value of another type.
        ValueError: A named field gets a value of another shape.

    Example:
        >>> sample = SignDataSample(sample_idx=3, video_id='hello_01').set_gt_label(2)
        >>> sample = sample.set_pred_scores(torch.tensor([0.1, 0.2, 0.7]))
        >>> sample.pred_label
        tensor(2)
    """

    gt_label: Tensor
    pred_scores: Tensor
    pred_label: Tensor
    sample_idx: int
    video_id: str
    pred_hands: Tensor
    target_hands: Tensor
    input_hands: Tensor
    hand_scores: Tensor
    hand_valid: Tensor
    chosen: Tensor
    boxes: Tensor

    def set_field(self, value: Any, name: str, dtype: Optional[Any] = None, field_type: str = 'data') -> None:
        """Checks a named field and stores it."""
        # BaseDataElement calls this method for attributes, keyword arguments and updates alike.
        if name in _FIELDS:
            value = _FIELDS[name](name, value)
        super().set_field(value, name, dtype, field_type)

    def set_gt_label(self, value: Union[int, Tensor]) -> 'SignDataSample':
        """Sets the class index; -1 = none."""
        self.gt_label = value
        return self

    def set_pred_label(self, value: Union[int, Tensor]) -> 'SignDataSample':
        """Sets the predicted class index."""
        self.pred_label = value
        return self

    def set_pred_scores(self, value: Union[Sequence[float], Tensor]) -> 'SignDataSample':
        """Sets the class scores, shape (classes,), and ``pred_label``, the best of them."""
        self.pred_scores = value
        self.pred_label = self.pred_scores.argmax()
        return self

    def set_reconstruction(
        self,
        pred_hands: Tensor,
        target_hands: Tensor,
        input_hands: Tensor,
        hand_scores: Tensor,
        hand_valid: Tensor,
        chosen: Tensor,
    ) -> 'SignDataSample':
        """Sets the six reconstruction fields, with the shapes of the class's attributes.

        Raises:
            ValueError: The fields differ in their number of frames.
        """
        self.pred_hands, self.target_hands, self.input_hands = pred_hands, target_hands, input_hands
        self.hand_scores, self.hand_valid, self.chosen = hand_scores, hand_valid, chosen
        frames = {
            name: len(self.get(name))
            for name in ('pred_hands', 'target_hands', 'input_hands', 'hand_scores', 'hand_valid', 'chosen')
        }
        if len(set(frames.values())) > 1:
            raise UserValueError(f'SignDataSample: frames differ: {frames}')
        return self
