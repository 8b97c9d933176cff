"""MS-ASL: ``MSASL_{train,val,test}.json`` and ``MSASL_classes.json``."""

import re
from typing import List, Optional, Sequence, Tuple

from ...errors import UserValueError
from ..importers.common import signer_name
from .annotation import ClipRecord, SourceIndex
from .files import SPLITS, find_file, json_entries, json_field, read_json

SUBSETS = (100, 200, 500, 1000)
# Clips of labels below N in MSASL_{train,val,test}.json; the sums are the paper's 5,736, 9,719, 17,823 and
# 25,513.
OFFICIAL = {
    100: dict(train=3789, val=1190, test=757),
    200: dict(train=6319, val=2041, test=1359),
    500: dict(train=11401, val=3702, test=2720),
    1000: dict(train=16054, val=5287, test=4172),
}
SOURCE = 'MS-ASL (Vaezi Joze and Koller, BMVC 2019), https://www.microsoft.com/en-us/research/project/ms-asl'
LICENCE = "the terms that come with Microsoft's download; the videos are their uploaders'"
_NUMBER = (int, float)


def msasl_index(
    root: str, subset: int = 1000, splits: Sequence[str] = SPLITS, repeated: str = 'error'
) -> SourceIndex:
    """The clips of MS-ASL<subset> with the official labels and splits.

    The lists name pieces of YouTube videos, often several of one video. A clip's ``video_id`` is ``<YouTube
    id>_<start>_<end>`` with the annotated frame numbers. Its ``video`` is the YouTube id: a video or poses of
    that name are cut from ``start_time`` to ``end_time``.

    Args:
        root (str): Folder with the lists in it or below.
        subset (int): 100, 200, 500 or 1000: the glosses with the most clips.
        splits (Sequence[str]): Only these; the lists of the others are not needed.
        repeated (str): As :class:`SourceIndex`.

    Raises:
        FileNotFoundError: A list is absent.
        ValueError: ``subset`` is unknown, or a list is malformed; the message names the file and the line.
    """
    if subset not in SUBSETS:
        raise UserValueError(f'MS-ASL{subset}: choose a subset of {", ".join(map(str, SUBSETS))}')
    path = find_file(root, ['MSASL_classes.json'], 'the class list')
    glosses = read_json(path, list)
    if len(glosses) < subset or not all(isinstance(gloss, str) and gloss for gloss in glosses):
        raise UserValueError(
            f'{path}: {len(glosses)} entries found, {subset} glosses needed; get the file again'
        )
    records = []
    for split in splits:
        path = find_file(root, [f'MSASL_{split}.json'], f'the list of {split} clips')
        for where, entry in json_entries(path):
            record = _record(entry, split, where, path)
            if not 0 <= record.label < len(glosses):
                raise UserValueError(
                    f'{path}: {where}: label {record.label} is outside 0 .. {len(glosses) - 1} (the class '
                    'list); correct it'
                )
            if record.label < subset:
                records.append(record)
    return SourceIndex(
        f'msasl{subset}',
        glosses[:subset],
        records,
        SOURCE,
        LICENCE,
        {split: OFFICIAL[subset][split] for split in splits},
        annotation=root,
        repeated=repeated,
    )


def youtube_id(url: str) -> Optional[str]:
    """The 11 characters that name a YouTube video, or None."""
    match = re.search(r'(?:[?&]v=|youtu\.be/|/embed/|/shorts/)([\w-]{11})(?![\w-])', url)
    return match.group(1) if match else None


def _record(entry: dict, split: str, where: str, path: str) -> ClipRecord:
    place = f'{path}: {where}'
    label, url = json_field(entry, 'label', int, place), json_field(entry, 'url', str, place)
    video = youtube_id(url)
    if video is None:
        raise UserValueError(f'{place}: url is {url!r}, in which there is no YouTube id; correct it')
    begin, end = (float(json_field(entry, name, _NUMBER, place)) for name in ('start_time', 'end_time'))
    frames = [int(json_field(entry, name, _NUMBER, place)) for name in ('start', 'end')]
    fps, width, height = (json_field(entry, name, _NUMBER, place) for name in ('fps', 'width', 'height'))
    return ClipRecord.of_span(
        f'{video}_{frames[0]}_{frames[1]}',
        label,
        split,
        video,
        signer_name(entry.get('signer_id'), place),
        start=begin,
        end=end,
        fps=float(fps),
        size=(round(width), round(height)),
        box=_box(entry.get('box'), place),
        where=where,
    )


def _box(box: Optional[List[float]], where: str) -> Optional[Tuple[float, float, float, float]]:
    """Left, top, right, bottom; the lists have top, left, bottom, right."""
    if box is None:
        return None
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(value, _NUMBER) for value in box):
        raise UserValueError(
            f'{where}: box is {box!r}; expected [top, left, bottom, right] as fractions of the image'
        )
    top, left, bottom, right = (float(value) for value in box)
    return left, top, right, bottom
