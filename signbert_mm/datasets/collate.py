"""Collation of clips to a batch."""

from typing import Sequence, Union

import torch
from mmengine.registry import FUNCTIONS as ROOT_FUNCTIONS

from ..errors import UserValueError
from ..registry import FUNCTIONS


# The Runner looks collate functions up in mmengine's own registry, whatever the scope.
@ROOT_FUNCTIONS.register_module()
@FUNCTIONS.register_module()
def collate_poses(data: Union[dict, Sequence[dict]]) -> dict:
    """Returns a batch of ``__getitems__`` as it is, and stacks single clips.

    Args:
        data (dict | Sequence[dict]): A batch, or items of ``__getitem__``.

    Returns:
        dict: ``inputs``, tensors with leading axis B, and ``video_id``, list[str], where the items have it.

    Raises:
        ValueError: Clips differ in shape, as they do without a temporal transform.
    """
    if isinstance(data, dict):
        return data
    shapes = {tuple(item['inputs']['keypoints'].shape) for item in data}
    if len(shapes) > 1:
        raise UserValueError(
            f'clips of shapes {sorted(shapes)} do not stack; put a temporal transform into the '
            'pipeline, or read whole batches'
        )
    batch: dict = dict(
        inputs={name: torch.stack([item['inputs'][name] for item in data]) for name in data[0]['inputs']}
    )
    if 'video_id' in data[0]:
        batch['video_id'] = [item['video_id'] for item in data]
    return batch
