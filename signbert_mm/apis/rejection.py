"""The answer "none of these signs". (Not in the papers.)"""

import math
from typing import Any, Dict, NamedTuple, Optional

import numpy as np

from ..errors import UserValueError

NONE_OF_THESE = 'none of these signs: the clip resembles no sign of the vocabulary enough'
"""The reason of an answer that was withheld."""
KEY = 'rejection'
"""Where a checkpoint's ``meta`` and the metadata of an ONNX file keep the values of :class:`Rejection`."""
METHODS = ('max_probability', 'known_odds')


class Rejection(NamedTuple):
    """When a recogniser withholds its answer, see :mod:`signbert_mm.evaluation.rejection`.

    ``tools/analysis_tools/calibrate.py`` fits the values on clips that were not trained on.

    Attributes:
        method (str): What makes the score ``unknown`` in [0, 1]. 'max_probability': 1 - the best
            probability. 'known_odds': the probability of the head's outputs for what is outside of the
            vocabulary (``num_unknown``), as in training half of the clips were.
        temperature (float): Divides the logits of the glosses: scores of 0.8 are then right in 80 % of the
            clips.
        threshold (float): Clips whose ``unknown`` is not below it get no answer.
        false_answers (float): Share of unknown clips that got an answer where the threshold was fitted.
    """

    method: str
    temperature: float
    threshold: float
    false_answers: float

    @classmethod
    def read(cls, values: Any, where: str) -> Optional['Rejection']:
        """Checks the values of a file.

        Args:
            values: A dict with the attributes; None = the file has none.
            where (str): The file, for messages.

        Raises:
            ValueError: A value is missing, of another type or out of range.
        """
        if values is None:
            return None
        again = f'{where}: {KEY} is {values!r}; calibrate again: tools/analysis_tools/calibrate.py'
        if not isinstance(values, dict) or not set(cls._fields) <= set(values):
            raise UserValueError(f'{again}; {", ".join(cls._fields)} are needed')
        if values['method'] not in METHODS:
            raise UserValueError(f'{again}; methods are {", ".join(METHODS)}')
        try:
            numbers = [float(values[name]) for name in cls._fields[1:]]
        except (TypeError, ValueError) as error:
            raise UserValueError(f'{again}; numbers are needed') from error
        if not all(map(math.isfinite, numbers)) or numbers[0] <= 0:
            raise UserValueError(f'{again}; the numbers must be finite and the temperature above 0')
        return cls(values['method'], *numbers)

    def apply(self, row: Dict[str, Any]) -> Dict[str, Any]:
        """Adds ``unknown``, ``guesses`` and ``reason`` to one clip's result of a backend.

        ``guesses`` are the calibrated scores (classes,), which also become ``scores``; ``reason`` is '' where
        the clip is known.
        """
        with np.errstate(divide='ignore'):
            logits = np.log(np.asarray(row['scores'], np.float64)) / self.temperature
        scores = np.exp(logits - logits.max())
        scores = (scores / scores.sum()).astype(np.float32)
        if self.method == 'known_odds':
            unknown = 1 / (1 + math.exp(min(float(row['known_odds']), 700.0)))
        else:
            unknown = 1 - float(scores.max())
        reason = NONE_OF_THESE if unknown >= self.threshold else ''
        return dict(row, scores=scores, guesses=scores, unknown=unknown, reason=reason)
