"""What lies in a PoseStore's folder; shared by its reader and its writer."""

import hashlib
import os
import struct
from typing import Tuple

import numpy as np

FORMAT = 'signbert_mm.PoseStore'
FORMAT_VERSION = 1
KEYPOINTS, CLIPS, META = 'keypoints.npy', 'clips.npz', 'meta.json'

# int16 stores: pixels in eighths (so +-4,095.875 px), scores as score * 32767
PIXEL_STEPS = 8
SCORE_STEPS = 32767
DTYPES = ('float32', 'int16')

LEFT_FOUND, RIGHT_FOUND = 1, 2  # bits of clips.npz: hands
MAX_TEXT_BYTES = 255

_NPY_HEADER = 128


def npy_header(dtype: str, shape: Tuple[int, ...]) -> bytes:
    """An npy 1.0 header of always 128 bytes, so that the row count can be filled in after the rows are written."""
    text = f"{{'descr': {np.dtype(dtype).newbyteorder('<').str!r}, 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    room = _NPY_HEADER - 10
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', room) + text.ljust(room - 1).encode('latin1') + b'\n'


def file_digest(path: str) -> str:
    """blake2b of a whole file, hex."""
    digest = hashlib.blake2b(digest_size=32)
    with open(path, 'rb') as file:
        for block in iter(lambda: file.read(1 << 22), b''):
            digest.update(block)
    return digest.hexdigest()


def sync_folder(path: str) -> None:
    """Makes a rename or a new file in ``path`` last through a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
