"""Several clips out of one, for testing. (Not in the papers.)"""

from torch import Tensor
from torch.nn import functional as F


def split_views(inputs: dict, views: int) -> dict:
    """Divides each clip into ``views`` clips: every ``views``-th frame from the first one on, from the
    second one on, and so on.

    Args:
        inputs (dict): A batch of B clips of T frames. Tensors (B, T, ..) of three axes or more are divided;
            others of B rows are repeated, and what is no tensor is left out. Where T is no multiple of the
            views, frames of zeros follow, in which no hand is valid.
        views (int): V.

    Returns:
        dict: A batch of B V clips of T / V frames, rounded up; those of a clip are neighbours.
    """
    count, frames = inputs['hand_valid'].shape[:2]
    missing = (frames + views - 1) // views * views - frames
    split = {}
    for key, value in inputs.items():
        if not isinstance(value, Tensor):
            continue
        if value.ndim > 2 and value.shape[1] == frames:
            whole = F.pad(value, [0] * (2 * value.ndim - 3) + [missing])
            split[key] = whole.unflatten(1, (-1, views)).transpose(1, 2).flatten(0, 1)
        elif value.ndim and value.shape[0] == count:
            split[key] = value.repeat_interleave(views, dim=0)
    return split


def join_views(tokens: Tensor, views: int, frames: int) -> Tensor:
    """The inverse of :func:`split_views` for tokens: (B V, T / V, ..) -> (B, T, ..), T = ``frames``."""
    return tokens.unflatten(0, (-1, views)).transpose(1, 2).flatten(1, 2)[:, :frames]
