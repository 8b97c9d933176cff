"""The index of a PoseStore, read and checked: ``meta.json`` and ``clips.npz``."""

import os
from typing import Dict

import numpy as np

from ..errors import UserValueError
from ..files.arrays import ArrayFileError, read_npz
from ..files.json import load_json_file
from .hand_rule import HAND_RULES
from .store_format import CLIPS, DTYPES, FORMAT, FORMAT_VERSION, KEYPOINTS, META, TIMES, file_digest

# Columns of clips.npz and the kind of their data type.
_COLUMNS = dict(
    offset='i',
    length='i',
    label='i',
    split='i',
    split_names='S',
    video_id='S',
    signer='i',
    signer_names='S',
    width='i',
    height='i',
    fps='f',
    hands='u',
)
_PER_CLIP = ('offset', 'length', 'label', 'split', 'video_id', 'signer', 'width', 'height', 'fps')


def _are_files(value: object) -> bool:
    """Whether this is ``files`` of meta.json: name -> bytes and checksum."""
    # A name must not lead out of the folder.
    if not isinstance(value, dict) or {KEYPOINTS, CLIPS} - set(value):
        return False
    return all(
        os.path.basename(name) == name and isinstance(fact, dict) and type(fact.get('bytes')) is int
        for name, fact in value.items()
    )


def _fit(timed: np.ndarray, times: np.ndarray, length: np.ndarray) -> bool:
    """Whether the clips of uneven rate and the times of their frames fit clips of these lengths."""
    return (
        timed.ndim == times.ndim == 1
        and timed.dtype.kind == 'i'
        and times.dtype.kind == 'f'
        and bool((np.diff(timed) > 0).all())
        and (not len(timed) or 0 <= int(timed[0]) <= int(timed[-1]) < len(length))
        and int(length[timed].sum()) == len(times)
        and bool(np.isfinite(times).all())
    )


def read_meta(folder: str) -> dict:
    """``meta.json``, checked.

    Raises:
        FileNotFoundError: It is absent.
        ValueError: It is damaged or of another format; the message names the field.
    """
    path = os.path.join(folder, META)
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'{path}: absent, so {folder} is not a PoseStore; prepare it with one of tools/dataset_converters'
        )
    try:
        meta = load_json_file(path)
    except ValueError as error:
        size = os.path.getsize(path)
        raise UserValueError(
            f'{path}: not JSON ({error}; {size} bytes found): truncated or changed; prepare the store again'
        ) from error
    if not isinstance(meta, dict) or meta.get('format') != FORMAT:
        raise UserValueError(f'{path}: field `format` must be {FORMAT!r}; this is not a PoseStore')
    if meta.get('format_version') != FORMAT_VERSION:
        raise UserValueError(
            f'{path}: format_version is {meta.get("format_version")}, this version reads {FORMAT_VERSION}; '
            'prepare the store again'
        )
    if meta.get('hand_rule', 'any') not in HAND_RULES:
        raise UserValueError(
            f'{path}: hand_rule is {meta["hand_rule"]!r}, this version knows {", ".join(HAND_RULES)}; '
            'prepare the store again'
        )
    absent = [
        name
        for name in ('layout', 'joints', 'dtype', 'clips', 'frames', 'files', 'glosses')
        if name not in meta
    ]
    wrong = absent or [
        name
        for name, fits in dict(
            dtype=meta['dtype'] in DTYPES,
            files=_are_files(meta['files']),
            clips=type(meta['clips']) is int,
            frames=type(meta['frames']) is int,
            joints=type(meta['joints']) is int,
            notes=isinstance(meta.get('notes') or {}, dict),
        ).items()
        if not fits
    ]
    if wrong:
        raise UserValueError(f'{path}: fields absent or wrong: {wrong}; prepare the store again')
    glosses = meta['glosses']
    if not isinstance(glosses, list) or not all(isinstance(gloss, str) and gloss for gloss in glosses):
        odd = (
            [one for one in glosses if not isinstance(one, str) or not one]
            if isinstance(glosses, list)
            else [glosses]
        )
        raise UserValueError(
            f'{path}: glosses hold {odd[0]!r:.80}; every gloss is text: copy it again or prepare the store '
            'again'
        )
    if len(set(glosses)) < len(glosses):
        raise UserValueError(
            f'{path}: glosses hold the same gloss twice; copy it again or prepare the store again'
        )
    return meta


def check_files(folder: str, meta: dict) -> None:
    """Checks that the files of ``meta`` exist and have their sizes.

    Raises:
        FileNotFoundError: A file is absent.
        ValueError: A file has another size; the message gives both.
    """
    for name, fact in meta['files'].items():
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            raise FileNotFoundError(
                f'{path}: absent, so this is not a whole PoseStore; copy the folder again or prepare it again'
            )
        if os.path.getsize(path) != fact['bytes']:
            raise UserValueError(
                f'{path}: {fact["bytes"]} bytes expected, {os.path.getsize(path)} found: truncated or '
                'changed; copy it again or prepare it again'
            )


def read_clips(folder: str, meta: dict) -> Dict[str, np.ndarray]:
    """The columns of ``clips.npz``, checked against ``meta``.

    Raises:
        ValueError: It is damaged, or does not fit; the message names the column or the clip.
    """
    path = os.path.join(folder, CLIPS)
    try:
        clips = read_npz(path)
    except (ArrayFileError, OSError) as error:
        raise UserValueError(
            f'{path}: damaged ({error}); copy it again or prepare the store again'
        ) from error
    count, frames = meta['clips'], meta['frames']
    wrong = [
        name
        for name, kind in _COLUMNS.items()
        if name not in clips or clips[name].dtype.kind != kind or clips[name].ndim != 1
    ]
    wrong = wrong or [name for name in _PER_CLIP if len(clips[name]) != count]
    if wrong:
        raise UserValueError(
            f'{path}: columns absent, of a wrong type or not of {count} clips: {wrong}; prepare the store '
            'again'
        )
    length, offset, label = clips['length'], clips['offset'], clips['label']
    if count and length.min() < 1:
        raise UserValueError(
            f'{path}: clip {length.argmin()}: length is {length.min()}; a clip has at least one frame: '
            'prepare the store again'
        )
    if (
        count == 0
        or length.sum() != frames
        or len(clips['hands']) != frames
        or (offset != np.cumsum(length) - length).any()
    ):
        raise UserValueError(
            f'{path}: offsets and lengths do not cover the {frames} frames of {KEYPOINTS}; prepare the '
            'store again'
        )
    if label.min() < -1 or label.max() >= len(meta['glosses']):
        clip = int(np.flatnonzero((label < -1) | (label >= len(meta['glosses'])))[0])
        raise UserValueError(
            f'{path}: clip {clip}: label {label[clip]} is outside the {len(meta["glosses"])} glosses; '
            'prepare the store again'
        )
    timed, times = (clips.get(name) for name in TIMES)
    if (timed is None) != (times is None) or (timed is not None and not _fit(timed, times, length)):
        raise UserValueError(
            f'{path}: columns {" and ".join(TIMES)} do not fit the clips; prepare the store again'
        )
    for name in ('split', 'signer'):
        if clips[name].min() < 0 or clips[name].max() >= len(clips[f'{name}_names']):
            raise UserValueError(
                f'{path}: column {name} has codes outside {name}_names; prepare the store again'
            )
    # Last, since the errors above say more.
    check_digest(path, meta)
    return clips


def check_digest(path: str, meta: dict) -> None:
    """Refuses a ``clips.npz`` whose checksum is not that of ``meta``."""
    if file_digest(path) != meta['files'][CLIPS].get('blake2b'):
        raise UserValueError(
            f'{path}: checksum differs from {META}; copy it again or prepare the store again'
        )
