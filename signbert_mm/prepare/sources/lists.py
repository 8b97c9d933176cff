"""Split lists of the USTC data sets, as in UCF101: ``traintestlist/{train,test}list01.txt``."""

import os
import re
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence

from ...errors import UserValueError
from ...files.text import text_lines
from .files import find_file

FILES = dict(train='trainlist01.txt', test='testlist01.txt')
LABELS = ('both', 'folder', 'list')
_LINE = re.compile(r'([^\s,]+)(?:[\s,]+(\S+))?\Z')


@dataclass
class ListedVideo:
    """A line of a list.

    Args:
        name (str): Path of the video below the videos' folder, without suffix.
        label (int): Its label.
        split (str): 'train' or 'test'.
        where (str): File and line.
    """

    name: str
    label: int
    split: str
    where: str


def find_lists(
    root: str,
    given: Optional[Dict[str, Optional[str]]] = None,
    needed: bool = True,
    splits: Sequence[str] = tuple(FILES),
) -> Dict[str, str]:
    """Paths of the lists by split: those ``given``, else those in ``root`` or below.

    {} if there is none at all and they are not ``needed``. Only of ``splits``.

    Raises:
        FileNotFoundError: One is absent.
    """
    paths = {split: path for split, path in (given or {}).items() if path}
    names = {split: file for split, file in FILES.items() if split in splits}
    for split, file in names.items():
        if split not in paths:
            paths[split] = find_file(root, [file], f'the list of {split} videos', needed or bool(paths))
        elif not os.path.isfile(paths[split]):
            raise FileNotFoundError(
                f'{os.path.abspath(paths[split])}: no such file; it lists the {split} videos, one a line'
            )
        if not paths[split]:
            del paths[split]
    if paths and set(names) - set(paths):
        raise FileNotFoundError(
            f'{os.path.abspath(root)}: {" and ".join(paths.values())} found alone; the list of the other '
            'split is absent'
        )
    return {split: paths[split] for split in names if split in paths}


def read_lists(paths: Dict[str, str], num_classes: int, label_from: str = 'both') -> List[ListedVideo]:
    """The videos of lines ``<label>/<video>.<suffix> <label>``.

    The label after the name may be left out, and a comma may stand before it.

    Args:
        paths (dict[str, str]): The lists by split.
        num_classes (int): Labels are 0 .. num_classes - 1.
        label_from (str): Source of the label: the 'folder', the 'list', or 'both', which must agree if the
            list has the label.

    Raises:
        ValueError: A line is malformed or its label is outside the range; file and line number are named.
    """
    if label_from not in LABELS:
        raise UserValueError(f'label_from is {label_from!r}; choose one of {", ".join(LABELS)}')
    videos = []
    for split, path in paths.items():
        for number, line in text_lines(path):
            videos.append(_video(line, split, f'{path} line {number}', num_classes, label_from))
    return videos


def _video(line: str, split: str, where: str, num_classes: int, label_from: str) -> ListedVideo:
    match = _LINE.match(line)
    name, listed = match.groups() if match else ('', None)
    name = name.replace('\\', '/')
    name = name[2:] if name.startswith('./') else name
    name = name[:-1] if name.endswith('/') else name
    folder = name.split('/')[-2] if '/' in name else ''
    malformed = (
        not match
        or (label_from != 'list' and not folder.isdigit())
        or (listed is not None and not listed.isdigit())
    )
    if malformed or (label_from == 'list' and listed is None):
        raise UserValueError(
            f'{where}: {line!r}; expected <label>/<video>.<suffix> and perhaps the label, as in '
            '012/P01_01_12_0_color.avi 12'
        )
    label = int(listed) if label_from == 'list' else int(folder)
    if label_from == 'both' and listed is not None and int(listed) != label:
        raise UserValueError(
            f'{where}: the list says label {listed}, the folder {folder}; if one of the two is to be trusted '
            'throughout, say which (--label-from)'
        )
    if label >= num_classes:
        raise UserValueError(f'{where}: label {label} is outside 0 .. {num_classes - 1}; correct the line')
    base = name.rsplit('/', 1)[-1]
    stem = base.split('.')[0] or base
    return ListedVideo(name[: len(name) - len(base)] + stem, label, split, where)
