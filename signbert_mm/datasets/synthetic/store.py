"""Synthetic signs on disk: a PoseStore with the true joints beside it."""

import os
from typing import BinaryIO, Dict, Sequence, Union

import numpy as np
from mmengine.utils import ProgressBar

from ...errors import UserValueError
from ...files.arrays import open_array
from ...layouts import SIGN_49, Layout
from ..pose_store import PoseStore
from ..pose_store_writer import PoseStoreWriter
from ..store_format import CAMERA, TRUE_2D, TRUE_3D, npy_header
from .generator import GENERATOR_VERSION, SYNTHETIC_NOTE, SyntheticSigns
from .plan import FPS

_CHANNELS = {TRUE_2D: 2, TRUE_3D: 3}
_CHUNK = 64


class SyntheticTruth:
    """The true joints beside the noisy ones of a synthetic store, through memory maps.

    Args:
        folder (str): The store's folder.

    Attributes:
        layout (Layout): sign_49, whatever the store's own layout is.
        true_2d (memmap): Shape (sum_T, 49, 2) float32, pixels, rows as in the store's ``keypoints``; also
            joints that the detector lost.
        true_3d (memmap): Shape (sum_T, 49, 3) float32, metres in the camera frame: x right, y down, z away
            from the camera.
        camera (memmap): Shape (N, 3) float32, pixels: focal length, centre x, centre y of each clip.

    Raises:
        FileNotFoundError: A file is absent: the store is not synthetic, or was made without its truth.
        ValueError: A file does not belong to this store.
    """

    def __init__(self, folder: Union[str, os.PathLike]) -> None:
        store = PoseStore(folder)
        self.layout = SIGN_49
        rows, clips = store.meta['frames'], len(store)
        self.true_2d = self._open(store.folder, TRUE_2D, (rows, SIGN_49.num_joints, 2))
        self.true_3d = self._open(store.folder, TRUE_3D, (rows, SIGN_49.num_joints, 3))
        self.camera = self._open(store.folder, CAMERA, (clips, 3))

    @staticmethod
    def _open(folder: str, name: str, shape: Sequence[int]) -> np.ndarray:
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f'{path}: absent; make the store with '
                'tools/dataset_converters/make_synthetic.py, without --no-truth'
            )
        try:
            array = open_array(path)
        except ValueError as error:
            raise UserValueError(f'{path}: damaged or truncated; make the store again') from error
        if array.shape != tuple(shape) or array.dtype != np.float32:
            raise UserValueError(
                f'{path}: float32 of shape {tuple(shape)} expected, {array.dtype} of shape '
                f'{array.shape} found; make the store again'
            )
        return array


def write_synthetic_store(
    folder: Union[str, os.PathLike],
    num_glosses: int = 100,
    num_signers: int = 20,
    clips_per_gloss: int = 40,
    seed: int = 0,
    layout: Union[str, Layout] = 'coco_wholebody_133',
    dtype: str = 'float32',
    truth: bool = True,
    overwrite: bool = False,
    progress: bool = False,
    **options: object,
) -> PoseStore:
    """Generates synthetic signs and writes them as a PoseStore.

    The splits train, val and test have different signers. The defaults are the default benchmark. With
    ``truth``, the true joints lie beside the store (:class:`SyntheticTruth`).

    Args:
        folder (str): The store's folder.
        num_glosses, num_signers, seed, layout: As for :class:`SyntheticSigns`; ``options`` go there too.
        clips_per_gloss (int): At least ``num_signers``, so that every signer has every gloss.
        dtype (str): 'float32' or 'int16' (half the size).
        truth (bool): Keep the true joints.
        overwrite (bool): Replace an existing store.
        progress (bool): Show a progress bar with the time left.

    Raises:
        ValueError: An argument is outside its range.
        FileExistsError: The folder exists and ``overwrite`` is False.
    """
    signs = SyntheticSigns(num_glosses, num_signers, seed, layout, **options)
    if clips_per_gloss < num_signers:
        raise UserValueError(
            f'write_synthetic_store: clips_per_gloss = {clips_per_gloss} is below num_signers = '
            f'{num_signers}, so the held-out signers would have no '
            'clips; give more clips or fewer signers'
        )
    total = num_glosses * clips_per_gloss
    notes = dict(
        note=SYNTHETIC_NOTE,
        generator=GENERATOR_VERSION,
        arguments=signs.arguments,
        clips_per_gloss=clips_per_gloss,
    )
    bar = ProgressBar(total) if progress else None
    with PoseStoreWriter(
        folder,
        signs.layout,
        signs.glosses,
        dtype,
        'synthetic signs (signbert_mm)',
        'the licence of signbert_mm',
        'detector model',
        notes=notes,
        overwrite=overwrite,
        # The published results on synthetic signs used this rule.
        hand_rule='any',
    ) as writer:
        # The truth is written as it comes: all clips together may not fit into memory.
        files = _start(writer.partial) if truth else {}
        try:
            cameras, rows = [], 0
            for start in range(0, total, _CHUNK):
                batch = signs.generate(range(start, min(start + _CHUNK, total)))
                splits = signs.split(batch.index)
                for clip in range(len(batch)):
                    signer, gloss = signs.signer_names[batch.signer[clip]], signs.glosses[batch.label[clip]]
                    # The number of this repetition of the gloss by the signer.
                    take = int(batch.index[clip]) // (num_glosses * num_signers)
                    width, height = batch.image_size[clip].tolist()
                    writer.add(
                        batch.keypoints[batch.rows(clip)],
                        int(batch.label[clip]),
                        splits[clip],
                        f'{signer}_{gloss}_{take:03d}',
                        signer,
                        width=width,
                        height=height,
                        fps=FPS,
                    )
                cameras.append(batch.camera)
                rows += len(batch.keypoints)
                if truth:
                    files[TRUE_2D].write(batch.true_2d.data)
                    files[TRUE_3D].write(batch.true_3d.data)
                if bar:
                    bar.update(len(batch))
            _finish(files, rows)
        finally:
            for file in files.values():
                file.close()
        if truth:
            np.save(os.path.join(writer.partial, CAMERA), np.concatenate(cameras))
        if bar:
            print()
        return writer.close()


def _start(folder: str) -> Dict[str, BinaryIO]:
    files = {name: open(os.path.join(folder, name), 'wb') for name in _CHANNELS}  # noqa: SIM115 - closed by the caller
    for name, file in files.items():
        file.write(npy_header('float32', (0, SIGN_49.num_joints, _CHANNELS[name])))
    return files


def _finish(files: Dict[str, BinaryIO], rows: int) -> None:
    """Writes the number of rows, known only now, into the headers."""
    for name, file in files.items():
        file.seek(0)
        file.write(npy_header('float32', (rows, SIGN_49.num_joints, _CHANNELS[name])))
        file.flush()
        # The writer moves the folder to its name next; the data must be on disk before.
        os.fsync(file.fileno())
