"""What an inferencer answers, as arrays for Python and as plain values for JSON."""

import json
import math
from typing import Any, Dict, ItemsView

import numpy as np

from ..errors import UserTypeError

NOT_IN_FILES = ('all_scores', 'vertices', 'faces')
"""What the JSON files of ``pred_out_dir`` leave out: it is large, and drawn from the model again in a moment.
"""


def plain_values(value: Any) -> Any:
    """A nest of dicts, lists, arrays and numbers as JSON has it.

    Args:
        value: Dicts, lists, tuples, arrays and tensors of numbers, numpy's numbers, text, numbers, bool,
            None.

    Returns:
        The same with lists for arrays and text for keys. A number that is not finite becomes None, as JSON
        has none.

    Raises:
        TypeError: Something else is in it.
    """
    if isinstance(value, dict):
        return {str(key): plain_values(entry) for key, entry in dict.items(value)}
    if isinstance(value, (list, tuple)):
        return [plain_values(entry) for entry in value]
    if hasattr(value, 'detach'):  # a tensor
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        finite = value.dtype.kind in 'biu' or (value.dtype.kind == 'f' and np.isfinite(value).all())
        return value.tolist() if finite else plain_values(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):  # a file name that is not UTF-8 has bytes that no JSON can hold
        return value.encode('utf-8', 'surrogateescape').decode('utf-8', 'replace')
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, int):
        return value
    raise UserTypeError(
        f'{type(value).__name__} is no value of JSON; give numbers, text, arrays, lists or dicts'
    )


class Prediction(dict):
    """The answer for one clip, or for one window of a stream: a dict whose arrays are numpy arrays.

    ``json.dumps(prediction)`` works: :meth:`items`, which it asks, gives plain values. :meth:`to_dict` gives
    the same as a plain dict.

    Example:
        >>> prediction = Prediction(name='sign.mp4', attention=np.array([[0.25, 0.75]]))
        >>> prediction['attention'].shape
        (1, 2)
        >>> json.dumps(prediction)
        '{"name": "sign.mp4", "attention": [[0.25, 0.75]]}'
    """

    def to_dict(self) -> Dict[str, Any]:
        """Lists for arrays, None for numbers that are not finite; docs/inference.md has the schema."""
        return plain_values(self)

    def items(self) -> ItemsView:
        """Of :meth:`to_dict`."""
        return self.to_dict().items()

    def __reduce__(self) -> tuple:
        return type(self), (dict(self),)  # copies and pickles keep the arrays


def to_json(value: Any) -> str:
    """Readable JSON of a prediction, or of a nest of them; numbers have 5 digits after the point."""

    def short(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: short(entry) for key, entry in item.items()}
        if isinstance(item, list):
            return [short(entry) for entry in item]
        return round(item, 5) if isinstance(item, float) else item

    return json.dumps(short(plain_values(value)), ensure_ascii=False, allow_nan=False, indent=1)
