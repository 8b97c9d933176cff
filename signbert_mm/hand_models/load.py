"""Hand assets by name."""

from functools import lru_cache
from pathlib import Path
from typing import Optional, Union

from .asset import FREE_HAND_FILE, HandAsset, HandAssetError, read_free_hand
from .mano import find_mano, read_mano

ASSETS = ('free', 'mano')


def load_hand_asset(name: str = 'free', path: Optional[Union[str, Path]] = None) -> HandAsset:
    """The asset of that name; nothing is put in its place where it is missing.

    Args:
        name (str): 'free' is read from this package; 'mano' is read from MANO_RIGHT.pkl, which its owners
            license to you.
        path (str | Path, optional): MANO_RIGHT.pkl or the folder that holds it; only for 'mano'.

    Raises:
        HandAssetError: Unknown name, no path for 'mano' or one for 'free', or a file that is not a whole hand
            model.
        FileNotFoundError: ``path`` does not exist.
    """
    if name not in ASSETS:
        raise HandAssetError(f'unknown hand asset {name!r}; known: {", ".join(ASSETS)}')
    if name == 'free':
        if path is not None:
            given = f"path={str(path)!r} was given; did you mean asset='mano'?"
            raise HandAssetError(
                f"hand asset 'free' is part of this package and reads no other file, but {given}"
            )
        return _free()
    return read_mano(find_mano(path))


@lru_cache(maxsize=1)
def _free() -> HandAsset:
    return read_free_hand(FREE_HAND_FILE)
