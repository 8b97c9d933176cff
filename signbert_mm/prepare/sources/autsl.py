"""AUTSL: ``{train,validation,test}_labels.csv`` and ``SignList_ClassId_TR_EN.csv``."""

import re
from collections import Counter
from typing import Dict, List, Sequence, Tuple

from ...errors import UserValueError
from .annotation import ClipRecord, SourceIndex
from .files import SPLITS, csv_rows, find_file, whole_number

CLASSES = 'SignList_ClassId_TR_EN.csv'
LISTS = dict(
    train=['train_labels.csv'],
    val=['validation_labels.csv', 'val_labels.csv'],
    test=['test_labels.csv'],
)
# 36,302: the challenge's release with the balanced test set.
OFFICIAL = dict(train=28142, val=4418, test=3742)
# With the imbalanced test set, which is not in the release.
PAPER = dict(total=38336)
SOURCE = 'AUTSL (Sincan and Keles, IEEE Access 2020), https://chalearnlap.cvc.uab.es/dataset/40/description'
LICENCE = 'academic research, by the terms of its download page'


def autsl_index(root: str, splits: Sequence[str] = SPLITS, repeated: str = 'error') -> SourceIndex:
    """The clips of AUTSL: 226 glosses, 43 signers, 31 of them in train, 6 in val, 6 in test.

    A clip ``signer3_sample20`` is the video ``signer3_sample20_color.mp4``. Videos that end in ``_depth`` are
    not used. Glosses are the English words of the class list. If several signs share an English word, the
    Turkish one follows it.

    Args:
        root (str): Folder with the lists in it or below.
        splits (Sequence[str]): Only these; the lists of the others are not needed.
        repeated (str): As :class:`SourceIndex`.

    Raises:
        FileNotFoundError: A list is absent.
        ValueError: A line is malformed; the message names the file and the line.
    """
    glosses = _glosses(find_file(root, [CLASSES], 'the class list'))
    records = []
    for split in splits:
        path = find_file(root, LISTS[split], f'the list of {split} clips')
        for where, (name, label) in csv_rows(path, ('sampleName', 'label'), header=None):
            signer = re.fullmatch(r'signer(\d+)_sample\d+', name)
            if signer is None:
                raise UserValueError(
                    f'{path}: {where}: {name!r} found; expected signer<number>_sample<number>'
                )
            label = whole_number(label, 'label', f'{path}: {where}')
            records.append(ClipRecord(name, label, split, f'{name}_color', signer.group(1), where=where))
    official = {split: OFFICIAL[split] for split in splits}
    return SourceIndex(
        'autsl', glosses, records, SOURCE, LICENCE, official, PAPER, annotation=root, repeated=repeated
    )


def _glosses(path: str) -> List[str]:
    words: Dict[int, Tuple[str, str]] = {}
    for where, (number, turkish, english) in csv_rows(path, ('ClassId', 'TR', 'EN')):
        label = whole_number(number, 'ClassId', f'{path}: {where}')
        if label in words:
            raise UserValueError(
                f'{path}: {where}: ClassId {label} is listed twice: {words[label]} and '
                f'{(turkish, english)}; get the file again'
            )
        words[label] = (turkish, english)
    if sorted(words) != list(range(len(words))):
        raise UserValueError(
            f'{path}: ClassIds are {sorted(words)[:5]} .. {max(words, default="")}; expected 0, 1, 2 .. '
            'without gaps'
        )
    times = Counter(english for _, english in words.values())
    named = [words[label] for label in range(len(words))]
    return [english if times[english] == 1 else f'{english} ({turkish})' for turkish, english in named]
