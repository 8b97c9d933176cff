"""Checks that the parts of a model agree on the width of a token."""

from typing import Optional

from torch import nn

from ..errors import UserValueError


def check_widths(model: nn.Module, last: str) -> None:
    """Refuses parts of different widths by their config keys, before a matrix product fails.

    The embedder has ``out_channels``, the backbone ``embed_dims`` and the last part ``in_channels``. A part
    without such an attribute is not checked.

    Args:
        model (nn.Module): Has ``embedder``, ``backbone`` and ``last``.
        last (str): 'decoder' or 'head'.

    Raises:
        ValueError: Two widths differ; the message names both keys of the config.
    """
    width: Optional[int] = getattr(model.embedder, 'out_channels', None)
    source = 'model.embedder'
    for name, field in (('backbone', 'embed_dims'), (last, 'in_channels')):
        expected = getattr(getattr(model, name), field, None)
        if width is not None and expected is not None and width != expected:
            raise UserValueError(
                f'{type(model).__name__}: {source} gives tokens of width {width}, but model.{name}.{field} '
                f'is {expected}. Set both to one width '
                '(that of HandTokenEmbedder is the last of gesture.part_channels)'
            )
        if expected is not None:
            width, source = expected, f'model.{name}'
