"""numpy files, with errors that name them."""

import os
from typing import Union

import numpy as np


def open_array(path: Union[str, 'os.PathLike[str]'], mmap_mode: str = 'r') -> np.ndarray:
    """A memory-mapped npy file; nothing in it is executed.

    Args:
        path (str | Path): The file.
        mmap_mode (str): As in ``numpy.load``.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is no npy file, or shorter than its header says; the message names it and its size.
    """
    path = os.fspath(path)
    try:
        return np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
    except FileNotFoundError:
        raise
    except Exception as error:  # numpy parses the header as Python text: what a damaged one raises has no bounds
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if 'allow_pickle' in reason:  # numpy's advice for what is no npy file
            reason = 'it does not begin as an npy file does, or holds Python objects'
        size = os.path.getsize(path)
        raise ValueError(f'{path} ({size} bytes): not a whole npy file ({reason}); copy it again or make it again') from error
