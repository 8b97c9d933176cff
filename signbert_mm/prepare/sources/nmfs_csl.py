"""NMFs-CSL (Hu et al. 2021): 1,067 Chinese sign words, 610 of them confusing without non-manual features."""

import os
from collections import Counter
from typing import List, Optional, Sequence

from ...errors import UserValueError
from ...files.text import text_lines
from .annotation import ClipRecord, SourceIndex
from .lists import find_lists, read_lists

CLASSES = 1067
CONFUSING = 610
OFFICIAL = dict(train=25608, test=6402)
SOURCE = (
    'NMFs-CSL: Hu et al., Global-local enhancement network for NMF-aware sign language recognition, TOMM 2021'
)
LICENCE = 'research only, by an agreement signed with the owners'
FPS = 30.0
# Image sizes of confusing and normal words, by the released code of ST-Consistency.
SIZES = ((1000, 720), (540, 540))


def nmfs_csl_index(
    root: str,
    train_list: Optional[str] = None,
    test_list: Optional[str] = None,
    words: Optional[str] = None,
    label_from: str = 'both',
    num_classes: int = CLASSES,
    splits: Sequence[str] = ('train', 'test'),
    repeated: str = 'error',
) -> SourceIndex:
    """The clips that the owners' lists name.

    A label is the official index: the number of the video's folder. The lists do not name signers. Words 0 ..
    609 are the confusing ones. No public text says so, but in the released code of ST-Consistency they differ
    from the rest in image size.

    Args:
        root (str): The downloaded folder, with ``traintestlist/trainlist01.txt`` and ``testlist01.txt``.
        train_list, test_list (str, optional): The lists, if they lie elsewhere.
        words (str, optional): A file with the words, one a line in the order of the labels; without it a
            word's name is its number.
        label_from (str): See :func:`~signbert_mm.prepare.sources.lists.read_lists`.
        num_classes (int): Size of the vocabulary.
        splits (Sequence[str]): Only these; the lists of the others are not needed.
        repeated (str): As :class:`SourceIndex`.

    Raises:
        FileNotFoundError: A list is absent.
        ValueError: A list is malformed or lists a video twice; the words are not ``num_classes`` distinct
            ones.
    """
    paths = find_lists(root, dict(train=train_list, test=test_list), splits=splits)
    videos = read_lists(paths, num_classes, label_from)
    glosses = _words(words, num_classes) if words else [f'{label:04d}' for label in range(num_classes)]
    records = [
        ClipRecord(
            video.name,
            video.label,
            video.split,
            fps=FPS,
            size=SIZES[video.label >= CONFUSING] if num_classes == CLASSES else None,
            where=video.where,
        )
        for video in videos
    ]
    notes = dict(
        words='given by the user' if words else 'not given: words are called by their number',
        confusing=[0, CONFUSING],
        label_from=label_from,
    )
    official = {split: OFFICIAL[split] for split in paths} if num_classes == CLASSES else {}
    return SourceIndex(
        'nmfs_csl',
        glosses,
        records,
        SOURCE,
        LICENCE,
        official,
        notes=notes,
        annotation=root,
        repeated=repeated,
    )


def _words(path: str, count: int) -> List[str]:
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f'{os.path.abspath(path)}: no such file; it holds the {count} words, one a line in the order of '
            'the labels'
        )
    words = [word for _, word in text_lines(path)]
    repeated = [word for word, times in Counter(words).items() if times > 1]
    if len(words) != count or repeated:
        raise UserValueError(
            f'{path}: {len(words)} words, repeated: {repeated[:5]}; expected {count} distinct words, one a '
            'line in the order of the labels'
        )
    return words
