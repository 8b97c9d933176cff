"""SLR500 (Huang et al. 2019), also CSL-500: 500 Chinese sign words, 50 signers, 5 times each."""

import os
import re
from collections import Counter
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from ...errors import UserValueError
from ...files.text import text_lines
from .annotation import ClipRecord, SourceIndex
from .files import find_file
from .lists import find_lists, read_lists

CLASSES = 500
SIGNERS = dict(train=range(1, 37), test=range(37, 51))
REPETITIONS = 5
OFFICIAL = dict(train=90000, test=35000)
SOURCE = (
    'SLR500: Huang et al., Attention-based 3D-CNNs for large-vocabulary sign language recognition, TCSVT 2019'
)
LICENCE = 'research only, by an agreement signed with the owners'
DICTIONARY = 'dictionary.txt'
# For poses without an image size; by the released code of ST-Consistency.
SIZE = (1280, 720)
SUFFIXES = ('', '_color', '._color')
_NAME = re.compile(r'P(\d+)_(\d+)_(\d+)_(\d+)\Z')
_FILE = re.compile(r'(P\d+_\d+_\d+_\d+)(\.?_color)?\Z')
# A video name counts words in rows of 20: P01_25_19_2 is word (25 - 1) * 20 + 19 = 499.
_ROW = 20


def video_name(signer: int, label: int, repetition: int) -> str:
    """The owners' name of a video, without its suffix."""
    return f'P{signer:02d}_{label // _ROW + 1:02d}_{label % _ROW:02d}_{repetition}'


def parse_name(name: str) -> Tuple[int, int, int]:
    """Signer, label and repetition of ``P01_25_19_2``.

    Raises:
        ValueError: The name is not of this form.
    """
    match = _NAME.match(name)
    if not match:
        raise UserValueError(
            f'{name!r} is not a name such as P01_25_19_2: signer, row and place of the word, repetition'
        )
    signer, row, place, repetition = map(int, match.groups())
    return signer, (row - 1) * _ROW + place, repetition


def find_suffix(names: Iterable[str]) -> str:
    """The suffix after the numbers in the first name of this data set: '', '_color' or '._color'.

    Raises:
        ValueError: No name is of this data set.
    """
    shown = []
    for name in names:
        match = _FILE.match(name.rsplit('/', 1)[-1])
        if match:
            return match.group(2) or ''
        shown += [name] if len(shown) < 3 else []
    raise UserValueError(
        'SLR500: no name such as P01_01_00_0, P01_01_00_0_color or P01_01_00_0._color is there; found '
        f'{shown}; give the suffix (--suffix)'
    )


def slr500_index(
    root: str,
    dictionary: Optional[str] = None,
    train_list: Optional[str] = None,
    test_list: Optional[str] = None,
    signers: Optional[Dict[str, Iterable[int]]] = None,
    repetitions: int = REPETITIONS,
    suffix: str = '_color',
    encoding: str = 'utf-8-sig',
    num_classes: int = CLASSES,
    splits: Sequence[str] = ('train', 'test'),
    repeated: str = 'error',
) -> SourceIndex:
    """The clips of the owners' lists; without lists every word of every signer, ``repetitions`` times.

    Args:
        root (str): The downloaded folder, with ``dictionary.txt``: lines ``000000<tab>word``.
        dictionary (str, optional): That file, if it lies elsewhere.
        train_list, test_list (str, optional): Lists of videos; by default those in ``root``, if any.
        signers (dict[str, Iterable[int]], optional): Numbers of the signers of 'train' and 'test', without
            lists; P01 to P36 and P37 to P50 by default.
        repetitions (int): How often a signer shows a word, numbered from 0.
        suffix (str): Suffix after the numbers in the names of videos or poses: '', '_color' or '._color'.
        encoding (str): Of the dictionary.
        num_classes (int): Size of the vocabulary.
        splits (Sequence[str]): Only these.
        repeated (str): As :class:`SourceIndex`.

    Raises:
        FileNotFoundError: The dictionary or a given list is absent.
        ValueError: A line is malformed, a video is listed twice, a video's name contradicts its folder, or a
            signer is in both splits.
    """
    if suffix not in SUFFIXES:
        raise UserValueError(f'SLR500: suffix is {suffix!r}; choose one of {", ".join(map(repr, SUFFIXES))}')
    path = dictionary or find_file(root, [DICTIONARY], 'the list of words (lines such as 000000<tab>word)')
    glosses = read_dictionary(path, num_classes, encoding)
    paths = find_lists(root, dict(train=train_list, test=test_list), False, splits)
    if paths:
        records, where = _listed(paths, num_classes, suffix), root
    else:
        people = {
            split: numbers for split, numbers in {**SIGNERS, **(signers or {})}.items() if split in splits
        }
        records, where = _grid(people, num_classes, repetitions, suffix), path
    notes = dict(splits='lists of the owners' if paths else 'by signer')
    official = (
        {split: OFFICIAL[split] for split in OFFICIAL if split in splits} if num_classes == CLASSES else {}
    )
    return SourceIndex(
        'slr500',
        glosses,
        records,
        SOURCE,
        LICENCE,
        official,
        notes=notes,
        annotation=where,
        repeated=repeated,
    )


def _record(name: str, label: int, split: str, signer: int, suffix: str, where: str) -> ClipRecord:
    return ClipRecord(
        name,
        label,
        split,
        video=f'{name}{suffix}' if suffix else '',
        signer=f'P{signer:02d}',
        size=SIZE,
        where=where,
    )


def _grid(
    signers: Dict[str, Iterable[int]], num_classes: int, repetitions: int, suffix: str
) -> List[ClipRecord]:
    people = [(split, signer) for split, numbers in signers.items() for signer in numbers]
    repeated = [signer for signer, times in Counter(signer for _, signer in people).items() if times > 1]
    if repeated:
        raise UserValueError(f'SLR500: signers {repeated} are in more than one split; each belongs to one')
    return [
        _record(
            video_name(signer, label, repetition),
            label,
            split,
            signer,
            suffix,
            f'word {label}, signer {signer}',
        )
        for split, signer in people
        for label in range(num_classes)
        for repetition in range(repetitions)
    ]


def _listed(paths: Dict[str, str], num_classes: int, suffix: str) -> List[ClipRecord]:
    records = []
    for video in read_lists(paths, num_classes, 'folder'):
        name = re.sub(r'\.?_color\Z', '', video.name.rsplit('/', 1)[-1])
        try:
            signer, label, _ = parse_name(name)
        except ValueError as error:
            raise UserValueError(f'{video.where}: {error}') from None
        if label != video.label:
            raise UserValueError(
                f'{video.where}: by its name {name} shows word {label}, but its folder is {video.label}; '
                'correct the list'
            )
        records.append(_record(name, label, video.split, signer, suffix, video.where))
    people = {split: {record.signer for record in records if record.split == split} for split in paths}
    shared = sorted(set.intersection(*people.values())) if len(people) > 1 else []
    if shared:
        raise UserValueError(
            f'{", ".join(paths.values())}: signers {shared[:5]} are in both lists; the splits of SLR500 have '
            'no signer in common'
        )
    return records


def read_dictionary(path: str, num_classes: int = CLASSES, encoding: str = 'utf-8-sig') -> List[str]:
    """The words in the order of the labels; a repeated word gets its number behind it.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line is malformed, or the numbers are not 0 .. num_classes - 1 in order.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'{os.path.abspath(path)}: no such file; it holds lines such as 000000<tab>word (give it with '
            '--dictionary)'
        )
    try:
        lines = text_lines(path, encoding)
    except ValueError as error:
        raise UserValueError(f'{error}; or give its encoding, for instance --encoding gb18030') from None
    words: List[str] = []
    for number, line in lines:
        code, _, word = line.partition('\t')
        if not code.isdigit() or not word.strip():
            raise UserValueError(
                f'{path} line {number}: {line!r}; expected a number, a tab and a word, as in 000000<tab>word'
            )
        if int(code) != len(words):
            raise UserValueError(
                f'{path} line {number}: word {int(code)} found where {len(words)} was expected; each number '
                'comes once, from 0 in order'
            )
        words.append(word.strip() if word.strip() not in words else f'{word.strip()} ({code})')
    if len(words) != num_classes:
        raise UserValueError(
            f'{path}: {len(words)} words; expected {num_classes}: the file is not whole or not of this data '
            'set'
        )
    return words
