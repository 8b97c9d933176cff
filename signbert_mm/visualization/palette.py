"""The colours of all pictures, in RGB."""

from typing import Dict, Tuple

import numpy as np

Color = Tuple[int, int, int]

PAPER: Color = (255, 255, 255)
INK: Color = (38, 44, 52)
QUIET: Color = (120, 128, 138)
LINE: Color = (214, 219, 225)
GHOST: Color = (176, 183, 192)
TILE: Color = (247, 248, 250)
SKIN: Color = (226, 178, 150)
ACCENT: Color = (46, 116, 204)

PALM: Color = (92, 101, 112)
FINGERS: Tuple[Color, ...] = ((226, 88, 46), (236, 164, 40), (52, 160, 92), (40, 128, 214), (138, 86, 202))
"""Thumb, forefinger, middle, ring, little finger."""
BODY: Color = (84, 96, 110)
SIDES: Dict[str, Color] = dict(left=(30, 138, 160), right=(196, 88, 72))

MASKING: Dict[str, Color] = dict(joint=(240, 138, 20), frame=(208, 46, 58), identity=(64, 132, 214))
"""Colours of masking operations, see :data:`signbert_mm.datasets.transforms.masking.OPERATIONS`."""


def faded(color: Color, amount: float, background: Color = PAPER) -> Color:
    """Mixes ``color`` into the background; ``amount`` 1 = the colour itself, 0 = the background."""
    mixed = amount * np.asarray(color, dtype=float) + (1 - amount) * np.asarray(background, dtype=float)
    return tuple(int(round(value)) for value in mixed)
