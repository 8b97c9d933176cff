"""What runs a recogniser on clips, and decides where there is no answer. Needs no torch."""

import json
import math
from typing import Any, Dict, ItemsView, List, Optional, Sequence

import numpy as np

from ..errors import ConfigError, UserTypeError
from .clips import PoseClip
from .rejection import Rejection

NOT_FINITE = (
    "the model's scores are not finite numbers; its weights or the poses are damaged: check the "
    'checkpoint, or take another'
)
NOT_IN_FILES = ('all_scores', 'vertices', 'faces')
"""Large keys, which the JSON files of ``pred_out_dir`` leave out."""


def plain_values(value: Any) -> Any:
    """Converts nested dicts, lists, arrays and numbers to values of JSON.

    Args:
        value: Dicts, lists, tuples, arrays and tensors of numbers, numpy's numbers, text, numbers, bool,
            None.

    Returns:
        The same with lists for arrays and text for keys. A number that is not finite becomes None, since JSON
        has no such number.

    Raises:
        TypeError: It holds something else.
    """
    if isinstance(value, dict):
        # `dict.items`, since Prediction.items() calls this function.
        return {str(key): plain_values(entry) for key, entry in dict.items(value)}
    if isinstance(value, (list, tuple)):
        return [plain_values(entry) for entry in value]
    # A tensor.
    if hasattr(value, 'detach'):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        finite = value.dtype.kind in 'biu' or (value.dtype.kind == 'f' and np.isfinite(value).all())
        return value.tolist() if finite else plain_values(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    # A file name that is not UTF-8 has bytes that JSON cannot hold.
    if isinstance(value, str):
        return value.encode('utf-8', 'surrogateescape').decode('utf-8', 'replace')
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, int):
        return value
    raise UserTypeError(
        f'{type(value).__name__} is no value of JSON; give numbers, text, arrays, lists or dicts'
    )


class Prediction(dict):
    """The answer for one clip or one window of a stream: a dict that may hold numpy arrays.

    ``json.dumps(prediction)`` works. :meth:`to_dict` gives the same values as a plain dict.

    Example:
        >>> prediction = Prediction(name='sign.mp4', attention=np.array([[0.25, 0.75]]))
        >>> prediction['attention'].shape
        (1, 2)
        >>> json.dumps(prediction)
        '{"name": "sign.mp4", "attention": [[0.25, 0.75]]}'
    """

    def to_dict(self) -> Dict[str, Any]:
        """As a dict with lists for arrays and None for numbers that are not finite.

        docs/inference.md has the schema.
        """
        return plain_values(self)

    def items(self) -> ItemsView:
        """Items of :meth:`to_dict`."""
        # json.dumps calls items(), so it gets plain values.
        return self.to_dict().items()

    def __reduce__(self) -> tuple:
        # Copying and pickling call items() by default, which would turn arrays into lists.
        return type(self), (dict(self),)


def to_json(value: Any) -> str:
    """Readable JSON of a prediction, or of nested ones, with 5 decimals."""

    def short(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: short(entry) for key, entry in item.items()}
        if isinstance(item, list):
            return [short(entry) for entry in item]
        return round(item, 5) if isinstance(item, float) else item

    return json.dumps(short(plain_values(value)), ensure_ascii=False, allow_nan=False, indent=1)


def withhold(clip: PoseClip, row: Dict[str, Any]) -> Dict[str, Any]:
    """Adds ``reason`` to one clip's result of :meth:`Backend.run`.

    Where the clip shows no hand or none of the signs, or the scores are not finite, the scores become 0 and
    ``reason`` says why. Elsewhere ``reason`` is ''.
    """
    reason = clip.no_answer
    if not reason and not np.isfinite(row['scores']).all():
        reason = NOT_FINITE
    # Only where there is something to guess from.
    if reason and 'guesses' in row:
        row = dict(row, guesses=np.zeros_like(row['scores']), unknown=None)
    reason = reason or row.get('reason', '')
    return dict(row, reason=reason, scores=np.zeros_like(row['scores']) if reason else row['scores'])


def unknown_of(row: Dict[str, Any]) -> Dict[str, Any]:
    """The key ``unknown`` of a result, where the model is calibrated; else {}."""
    return dict(unknown=row['unknown']) if 'unknown' in row else {}


class Backend:
    """Runs a recogniser. Every answer of this package comes from :meth:`predict`.

    Attributes:
        recognises (bool): Whether it names signs; a pre-trainer does not.
        reads_videos (bool): Whether it reads video frames and not poses.
        one_torch_model (bool): Whether it runs one model on poses in torch: no fusion, nothing exported.
        glosses (list[str]): Of its classes; [] where they are unknown.
        frame_rates (list[float | None]): The frame rate of the training clips of each part that reads poses;
            None where the checkpoint does not have it.
        rejection (Rejection, optional): When it answers "none of these signs"; None = never.
    """

    recognises = True
    reads_videos = False
    one_torch_model = False
    glosses: List[str]
    rejection: Optional[Rejection] = None
    frame_rates: Sequence[Optional[float]] = ()

    def gloss(self, label: int) -> str:
        """The name of a class."""
        return self.glosses[label] if label < len(self.glosses) else f'class {label}'

    def best(self, scores: np.ndarray, topk: int = 5) -> Dict[str, list]:
        """Returns ``glosses``, ``scores`` and ``labels`` of the best classes.

        They are [] where all scores are 0, which means no answer.
        """
        order = np.argsort(-scores, kind='stable')[:topk].tolist() if np.any(scores) else []
        return dict(
            glosses=[self.gloss(label) for label in order],
            scores=[float(scores[label]) for label in order],
            labels=order,
        )

    def check_recognises(self) -> None:
        """Checks that the model names signs.

        Raises:
            ConfigError: It is a pre-trainer.
        """
        if not self.recognises:
            raise ConfigError(
                'this model is a pre-trainer, which knows no glosses; give config and checkpoint of a '
                'recogniser, or use reconstruct() or search()'
            )

    def predict(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Any]]:
        """Classifies clips.

        Args:
            clips (Sequence[PoseClip]): B clips.
            first (int): Index of the first clip. It seeds the draws of the test pipeline, if it has any.

        Returns:
            list[dict]: One a clip: ``scores`` (classes,) that sum to 1, ``attention`` (L, 2) or None,
            ``frames`` (L,), the positions in the clip, and ``reason``. Where there is no answer, ``reason``
            says why and the scores are 0, see :func:`withhold`. With a ``rejection`` also ``unknown`` and
            ``guesses``, see :class:`Rejection`.

        Raises:
            ValueError: A clip cannot be read by this model; the message says why.
        """
        rows = self.run(clips, first)
        if self.rejection is not None:
            rows = [self.rejection.apply(row) for row in rows]
        return [withhold(clip, row) for clip, row in zip(clips, rows)]

    def run(self, clips: Sequence[PoseClip], first: int = 0) -> List[Dict[str, Any]]:
        """As :meth:`predict`, but without ``reason``: each clip gets the scores of the model."""
        raise NotImplementedError


def in_torch(backend: Backend, what: str) -> Backend:
    """Returns ``backend`` if it runs one model in torch, as ``what`` requires.

    Raises:
        ConfigError: It is an exported model or a fusion.
    """
    if not backend.one_torch_model:
        raise ConfigError(
            f'{what} needs a model in torch: give `pretrained` and `pretrained_weights` '
            'beside an exported or a fused one'
        )
    return backend
