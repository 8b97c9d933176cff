"""ASL Citizen: ``splits/{train,val,test}.csv``."""

from typing import Dict, Sequence

from ...errors import UserValueError
from .annotation import ClipRecord, SourceIndex
from .files import SPLITS, csv_rows, find_file
from .names import without_suffix

# 83,399, as the paper has it
OFFICIAL = dict(train=40154, val=10304, test=32941)
COLUMNS = ('Participant ID', 'Video file', 'Gloss')
SOURCE = (
    'ASL Citizen (Desai et al., NeurIPS 2023), https://www.microsoft.com/en-us/research/project/asl-citizen'
)
LICENCE = "the research licence that comes with Microsoft's download"


def asl_citizen_index(root: str, splits: Sequence[str] = SPLITS, repeated: str = 'error') -> SourceIndex:
    """The clips of ASL Citizen: 2,731 glosses, splits by signer.

    The download does not number the glosses. As in the owners' code they are numbered by their first clip in
    ``train.csv``, which is therefore always needed.

    Args:
        root (str): The unpacked download, with ``splits/`` (and ``videos/``) in it or below.
        splits (Sequence[str]): Only these.
        repeated (str): As :class:`SourceIndex`.

    Raises:
        FileNotFoundError: A list is absent.
        ValueError: A line is malformed or has a gloss that is not in train.csv; the message names the file
            and the line.
    """
    train = find_file(root, ['train.csv'], 'the list of train clips')
    labels: Dict[str, int] = {}
    for _, (_, _, gloss) in csv_rows(train, COLUMNS):
        labels.setdefault(gloss, len(labels))
    records = []
    for split in splits:
        path = train if split == 'train' else find_file(root, [f'{split}.csv'], f'the list of {split} clips')
        for where, (signer, file, gloss) in csv_rows(path, COLUMNS):
            if gloss not in labels:
                raise UserValueError(
                    f'{path}: {where}: gloss {gloss!r} is not in {train}; use lists that belong together'
                )
            records.append(ClipRecord(without_suffix(file), labels[gloss], split, signer=signer, where=where))
    official = {split: OFFICIAL[split] for split in splits}
    return SourceIndex(
        'asl_citizen', list(labels), records, SOURCE, LICENCE, official, annotation=root, repeated=repeated
    )
