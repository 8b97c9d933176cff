"""Videos in a folder for each gloss, as an index with splits: no annotation is needed."""

import os
from typing import Dict, List, Sequence, Tuple

from ...errors import UserValueError
from ...files.folders import LeftOut, image_sequence, report_left_out, walk
from ...files.matching import find_signer, signer_pattern
from ...files.text import clean_text
from .annotation import REPEATED, ClipRecord, SourceIndex
from .names import videos_below
from .splits import Splits


def video_folder_index(
    root: str,
    signer: str = '',
    test_signers: Sequence[str] = (),
    val_signers: Sequence[str] = (),
    test_share: float = 0.0,
    val_share: float = 0.0,
    seed: int = 0,
    source: str = '',
    licence: str = '',
    repeated: str = 'error',
) -> SourceIndex:
    """The videos ``<root>/<gloss>/<anything>.mp4``, at any depth below the gloss.

    Folders of numbered images count as videos. Glosses are in alphabetical order. A clip's id is its path
    below ``root`` without suffix, ``hello/anna_1``. Splits go by signer or by share; without either all clips
    are in 'train'.

    Args:
        root (str): The folder.
        signer (str): A regular expression, searched in the path below the gloss's folder (``anna_1``). Its
            first group, or else the match, is the signer: ``'^[^_]+'`` for ``hello/anna_1.mp4``,
            ``'^[^/]+(?=/)'`` for ``hello/anna/1.mp4``. '' = signers are not known.
        test_signers, val_signers (Sequence[str]): Signers whose clips are in these splits.
        test_share, val_share (float): Share of each gloss's clips in these splits, to the nearest number; at
            least one clip stays in 'train'. The draw depends on ``seed`` and the clip's id: a clip that is
            added moves few others.
        seed (int): Of that draw.
        source, licence (str): For the store's meta.
        repeated (str): What to do if two videos differ in their suffix alone, as a.mov and a.mp4: 'error', or
            'first' = keep the first; ``notes['repeated']`` lists the rest.

    Raises:
        FileNotFoundError: There is no such folder, or no video in folders of glosses.
        ValueError: Two videos differ in their suffix alone, a video lies in no gloss's folder, ``signer`` is
            no regular expression, a name does not match it, a signer is in no video or in two splits, both
            ways of splitting are asked for, shares are out of range, or nothing is left to train on.
    """
    root = os.path.abspath(root)
    chosen = Splits(test_signers, val_signers, test_share, val_share, seed)
    signer_pattern(signer)
    if chosen.by_signer and not signer:
        raise UserValueError(
            'splits by signers need `signer` (--signer), which finds the signer in a file name'
        )
    found, left_out = videos_below(root)
    # A gloss's folder whose images are no one sequence holds no clip.
    odd = [path for name, path in found if '/' not in name and _why_unclear(path)]
    found = [item for item in found if item[1] not in odd]
    names, repeats = _by_name(root, found, repeated)
    loose = [name for name in names if '/' not in name]
    if loose:
        raise UserValueError(
            f'{root}: {", ".join(loose[:5])} lies in no folder of a gloss; the layout is '
            '<gloss>/<anything>.mp4'
        )
    if not names:
        report_left_out(left_out, root)
        raise FileNotFoundError(f'{root}: no videos in it; the layout is <gloss>/<anything>.mp4')
    _report_empty(root, names, odd)
    signers = {name: _signer(root, name, signer) for name in names}
    own = {name: _gloss(name) for name in names}
    splits = chosen.assign(own, signers, root, f'--signer {signer!r} finds')
    glosses = sorted(set(own.values()))
    labels = {gloss: label for label, gloss in enumerate(glosses)}
    records = [
        ClipRecord(name, labels[own[name]], splits[name], signer=signers[name], where=name) for name in names
    ]
    notes = dict(splits=dict(signer=signer, **chosen.notes()))
    notes.update(dict(repeated=repeats) if repeats else {})
    return SourceIndex(
        os.path.basename(root),
        glosses,
        records,
        source,
        licence,
        notes=notes,
        annotation=root,
        repeated=repeated,
    )


def _why_unclear(path: str) -> str:
    """Why a folder of images is no clip; '' = it is one, or a file."""
    return image_sequence(os.listdir(path)).reason if os.path.isdir(path) else ''


def _report_empty(root: str, names: Sequence[str], odd: Sequence[str]) -> None:
    """Logs the folders of ``root`` without a clip, so that no gloss is lost in silence."""
    report_left_out(
        [LeftOut(path, f'{_why_unclear(path)}, so there is no clip of this gloss') for path in odd], root
    )
    used = {*(_gloss(name) for name in names), *map(os.path.basename, odd)}
    empty = [name for name in next(walk(root)).folders if clean_text(name) not in used]
    report_left_out(
        [LeftOut(os.path.join(root, name), 'no video in it, so the gloss is left out') for name in empty],
        root,
    )


def _by_name(root: str, found: Sequence[Tuple[str, str]], repeated: str) -> Tuple[List[str], List[str]]:
    """The clips' names in order, and the files that have the name of an earlier one."""
    if repeated not in REPEATED:
        raise UserValueError(f'{root}: repeated is {repeated!r}; choose one of {", ".join(REPEATED)}')
    first: Dict[str, str] = {}
    repeats = []
    for name, path in sorted(found):
        below = os.path.relpath(path, root)
        if name not in first:
            first[name] = below
        elif repeated == 'first':
            repeats.append(f'{name}: {below}')
        else:
            raise UserValueError(
                f'{root}: {first[name]} and {below} would both be clip {name!r}; remove or rename one of '
                'them, or keep the first (--repeated first)'
            )
    return list(first), repeats


def _gloss(name: str) -> str:
    return name.split('/', 1)[0]


def _signer(root: str, name: str, pattern: str) -> str:
    if not pattern:
        return ''
    signer = find_signer(signer_pattern(pattern), name.split('/', 1)[1])
    if not signer:
        raise UserValueError(
            f'{root}: {name}: --signer {pattern!r} finds no signer in the part after the gloss; correct the '
            'pattern, or rename the file'
        )
    return signer
