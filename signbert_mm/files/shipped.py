"""The weights that come with the package: ``zoo://NAME`` stands for ``signbert_mm/weights/NAME.pth``."""

import os
from pathlib import Path
from typing import List

from ..errors import ConfigError, did_you_mean
from .atomic import PathLike

SHIPPED = 'zoo://'
WEIGHTS = Path(__file__).resolve().parents[1] / 'weights'


def list_shipped() -> List[str]:
    """Names of the checkpoints that come with the package, each as ``zoo://NAME`` takes it."""
    return sorted(path.stem for path in WEIGHTS.glob('*.pth'))


def resolve_shipped(filename: PathLike) -> str:
    """The path of the checkpoint that ``zoo://NAME`` names; any other name comes back as it is.

    Raises:
        ConfigError: No checkpoint of this name comes with the package.
    """
    text = os.fspath(filename)
    if not text.startswith(SHIPPED):
        return text
    name, names = text[len(SHIPPED) :], list_shipped()
    # Only a listed name becomes a path.
    if name not in names:
        raise ConfigError(f'{text}: no such weights come with the package. {did_you_mean(name, names)}')
    return str(WEIGHTS / f'{name}.pth')
