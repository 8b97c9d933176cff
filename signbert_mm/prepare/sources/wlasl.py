"""WLASL: ``nslt_<N>.json``, ``wlasl_class_list.txt``, ``WLASL_v0.3.json``."""

import os
import re
from typing import Any, Dict, List, Sequence, Tuple

from ...errors import UserValueError
from ...files.text import text_lines
from ..importers.common import signer_name
from .annotation import ClipRecord, SourceIndex
from .files import SPLITS, find_file, json_field, read_json

SUBSETS = (100, 300, 1000, 2000)
# Clips in nslt_<N>.json, and in table 2 of the paper.
OFFICIAL = {
    100: dict(train=1442, val=338, test=258),
    300: dict(train=3549, val=901, test=668),
    1000: dict(train=8978, val=2320, test=1876),
    2000: dict(train=14296, val=3920, test=2879),
}
PAPER = {100: dict(total=2038), 300: dict(total=5117), 1000: dict(total=13168), 2000: dict(total=21083)}
# The rate of frame_start and frame_end, by the owners' README.
FPS = 25
SOURCE = 'WLASL (Li et al., WACV 2020), https://dxli94.github.io/WLASL'
LICENCE = 'C-UDA 1.0, academic and computational use only'


def wlasl_index(
    root: str, subset: int = 2000, splits: Sequence[str] = SPLITS, repeated: str = 'error'
) -> SourceIndex:
    """The clips of WLASL<subset> with the official labels and splits.

    They come from ``nslt_<subset>.json``, or from a larger ``nslt_*.json``, which holds the same clips.
    Without these they come from ``WLASL_v*.json``, whose lists are a few clips shorter. Beside an ``nslt``
    file ``WLASL_v*.json`` adds the signers and the places in the YouTube videos.

    The owners' script writes each clip as ``videos/<video_id>.mp4``, cut already. In a folder of raw videos
    those of YouTube have YouTube's name. They are cut here by ``frame_start`` and ``frame_end``, which count
    at 25 frames a second.

    Args:
        root (str): A checkout of the owners' repository, or any folder with these files in it or below.
        subset (int): 100, 300, 1000 or 2000: the glosses with the most clips.
        splits (Sequence[str]): Only these.
        repeated (str): As :class:`SourceIndex`.

    Raises:
        FileNotFoundError: There are no annotations.
        ValueError: ``subset`` is unknown, or an annotation is malformed; the message names the file and the
            place.
    """
    if subset not in SUBSETS:
        raise UserValueError(f'WLASL{subset}: choose a subset of {", ".join(map(str, SUBSETS))}')
    lists = [f'nslt_{size}.json' for size in SUBSETS if size >= subset]
    path = find_file(root, lists, 'the list of clips', needed=False)
    annotation = find_file(
        root, ['WLASL_v0.3.json', 'WLASL_v0.2.json', 'WLASL_v0.1.json'], 'the annotation', needed=not path
    )
    glosses, instances = _instances(annotation, repeated) if annotation else ([], {})
    named = find_file(
        root, ['wlasl_class_list.txt'], 'the class list (or WLASL_v0.3.json)', needed=not glosses
    )
    glosses = _class_list(named) if named else glosses
    if len(glosses) < subset:
        raise UserValueError(
            f'{named or annotation}: {len(glosses)} glosses found, {subset} needed; get the file again'
        )
    if path:
        clips = _nslt(path, subset, int(re.findall(r'\d+', os.path.basename(path))[0]))
    else:
        path = annotation
        clips = [
            (where, name, label, entry['split'])
            for name, (where, label, entry) in instances.items()
            if label < subset
        ]
    records = [
        ClipRecord.of_span(
            name,
            label,
            split,
            where=where,
            **(_details(annotation, *instances[name]) if name in instances else {}),
        )
        for where, name, label, split in clips
        if split in splits
    ]
    return SourceIndex(
        f'wlasl{subset}',
        glosses[:subset],
        records,
        SOURCE,
        LICENCE,
        {split: OFFICIAL[subset][split] for split in splits},
        PAPER[subset],
        annotation=path,
        repeated=repeated,
    )


def wlasl_list(path: str, classes: str = '') -> SourceIndex:
    """The clips of one list of WLASL, without a checkout of the owners' repository.

    Args:
        path (str): A list as ``nslt_300.json``; the number in its name is that of its glosses. A list of
            another name has all glosses of the class list.
        classes (str): ``wlasl_class_list.txt``; '' = the one beside the list.

    Raises:
        FileNotFoundError: A file is absent.
        ValueError: The list or the class list is malformed, or the latter has too few glosses; the message
            names the file and the place.
    """
    classes = classes or os.path.join(os.path.dirname(path), 'wlasl_class_list.txt')
    for name, option in ((path, '--annotations nslt_300.json'), (classes, '--classes wlasl_class_list.txt')):
        if not os.path.isfile(name):
            raise FileNotFoundError(f'{os.path.abspath(name)}: no such file; give that of WLASL ({option})')
    glosses = _class_list(classes)
    named = re.fullmatch(r'nslt_(\d+)\.json', os.path.basename(path))
    size = int(named[1]) if named else len(glosses)
    if len(glosses) < size:
        raise UserValueError(f'{classes}: {len(glosses)} glosses found, {size} needed; get the file again')
    clips = _nslt(path, size, size)
    records = [ClipRecord(name, label, split, where=where) for where, name, label, split in clips]
    about = dict(source=SOURCE, licence=LICENCE, official=OFFICIAL.get(size, {}), paper=PAPER.get(size, {}))
    return SourceIndex(f'wlasl{size}', glosses[:size], records, **about, annotation=path)


def _class_list(path: str) -> List[str]:
    rows = [(number, line.split('\t')) for number, line in text_lines(path)]
    for label, (number, row) in enumerate(rows):
        if len(row) != 2 or row[0] != str(label) or not row[1].strip():
            raise UserValueError(f'{path}: line {number}: {row} found; expected {label}, a tab and a gloss')
    return [row[1].strip() for _, row in rows]


def _nslt(path: str, subset: int, limit: int) -> List[Tuple[str, str, int, str]]:
    """Place, video id, label and split of each clip whose label is below ``subset``, of ``limit``."""
    clips = []
    for name, entry in read_json(path, dict).items():
        where = f'{path}: video {name!r}'
        if not isinstance(entry, dict):
            raise UserValueError(f'{where}: {entry!r} found; expected subset and action')
        action, split = json_field(entry, 'action', list, where), json_field(entry, 'subset', str, where)
        if len(action) != 3 or not all(isinstance(value, int) for value in action) or split not in SPLITS:
            raise UserValueError(
                f'{where}: subset is {split!r}, action is {action}; expected one of {SPLITS} and [label, '
                'first frame, last frame]'
            )
        if not 0 <= action[0] < limit:
            raise UserValueError(
                f'{where}: label {action[0]} is outside 0 .. {limit - 1}; get the file again'
            )
        if action[0] < subset:
            clips.append((f'video {name!r}', name, action[0], split))
    return clips


def _instances(path: str, repeated: str) -> Tuple[List[str], Dict[str, Tuple[str, int, dict]]]:
    """The glosses in their order, and place, label and entry of each instance by video id."""
    glosses: List[str] = []
    instances: Dict[str, Tuple[str, int, dict]] = {}
    for label, entry in enumerate(read_json(path, list)):
        where = f'{path}: entry {label + 1}'
        if not isinstance(entry, dict):
            raise UserValueError(f'{where}: {entry!r} found; expected gloss and instances')
        glosses.append(json_field(entry, 'gloss', str, where))
        for number, instance in enumerate(json_field(entry, 'instances', list, where), 1):
            place = f'gloss {glosses[-1]!r}, instance {number}'
            if not isinstance(instance, dict):
                raise UserValueError(f'{path}: {place}: {instance!r} found; an object expected')
            name = json_field(instance, 'video_id', str, f'{path}: {place}')
            if json_field(instance, 'split', str, f'{path}: {place}') not in SPLITS:
                raise UserValueError(
                    f'{path}: {place}: split is {instance["split"]!r}; expected one of {SPLITS}'
                )
            if name in instances and repeated == 'first':
                continue
            if name in instances:
                raise UserValueError(
                    f'{path}: video {name!r} is listed twice: {instances[name][0]} and {place}; remove one '
                    'of them, or keep the first (--repeated first)'
                )
            instances[name] = (place, label, instance)
    return glosses, instances


def _details(path: str, place: str, label: int, instance: dict) -> Dict[str, Any]:
    """The signer, and where the clip lies in a YouTube video."""
    place = f'{path}: {place}'
    details: Dict[str, Any] = dict(signer=signer_name(instance.get('signer_id'), place))
    url = str(instance.get('url', ''))
    if re.search(r'youtube\.com|youtu\.be', url):
        first, last = (json_field(instance, name, int, place) for name in ('frame_start', 'frame_end'))
        # The owners' scripts name a YouTube video by the last 11 characters of its address. Frames count from
        # 1, and -1 means to the end.
        details.update(video=url[-11:], start=(first - 1) / FPS, end=None if last <= 0 else last / FPS)
    return details
