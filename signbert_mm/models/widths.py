"""Parts of a model must agree on the width of a token."""

from typing import Optional

from torch import nn

from ..errors import UserValueError


def check_widths(model: nn.Module, last: str) -> None:
    """Refuses parts that do not fit, by name, before a matrix product does.

    The embedder states ``out_channels``, the backbone ``embed_dims`` and the last part ``in_channels``; a
    part that states nothing is not checked.

    Args:
        model (nn.Module): Has ``embedder``, ``backbone`` and ``last``.
        last (str): 'decoder' or 'head'.

    Raises:
        ValueError: Two widths differ; the message names both keys of the config.
    """
    width: Optional[int] = getattr(model.embedder, 'out_channels', None)
    source = 'model.embedder'
    for name, field in (('backbone', 'embed_dims'), (last, 'in_channels')):
        wanted = getattr(getattr(model, name), field, None)
        if width is not None and wanted is not None and width != wanted:
            raise UserValueError(
                f'{type(model).__name__}: {source} gives tokens of width {width}, but model.{name}.{field} '
                f'is {wanted}. Set both to one width '
                '(that of HandTokenEmbedder is the last of gesture.part_channels)'
            )
        if wanted is not None:
            width, source = wanted, f'model.{name}'
