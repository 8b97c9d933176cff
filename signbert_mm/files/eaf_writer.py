"""Writes annotation files of ELAN (.eaf)."""

import math
import os
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, Union
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ..errors import UserValueError
from .atomic import write_atomic
from .eaf import SCORE_SUFFIX, Scored

PathLike = Union[str, 'os.PathLike[str]']
Row = Tuple[int, int, str, Optional[float]]

_SCHEMA = 'http://www.mpi.nl/tools/elan/EAFv3.0.xsd'
_ABOUT = {
    'AUTHOR': 'signbert_mm',
    'FORMAT': '3.0',
    'VERSION': '3.0',
    'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
    'xsi:noNamespaceSchemaLocation': _SCHEMA,
}
_GLOSS_TYPE, _SCORE_TYPE, _ASSOCIATION = 'gloss', 'score', 'Symbolic_Association'
# What XML 1.0 cannot hold.
_NO_XML = re.compile('[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')
_KINDS = dict(mp4='video/mp4', m4v='video/mp4', mov='video/quicktime', mpg='video/mpeg', mpeg='video/mpeg')


def write_eaf(
    path: PathLike, media: Union[None, PathLike, Sequence[PathLike]], tiers: Mapping[str, Sequence[Scored]]
) -> None:
    """Writes segments as an .eaf file (EAF 3.0), whole or not at all.

    Each tier holds the glosses of one signer, its participant. If a segment of it has a score, a tier
    ``<name>-score`` depends on it and holds the scores (a symbolic association), so that glosses stay alone.

    Args:
        path (str | Path): The file.
        media (str | Path | list, optional): The video, or several; linked by their absolute paths and by
            those from ``path``.
        tiers (Mapping[str, Sequence]): Tier name -> segments ``(start, end, gloss, score)``: seconds, text,
            and a number or None.

    Raises:
        ValueError: Segments of a tier overlap, which ELAN does not allow; one has no length to the
            millisecond or begins before 0; a text holds what XML cannot. The message names tier and segment.
        OSError: The file cannot be written.
    """
    root = Element(
        'ANNOTATION_DOCUMENT', _ABOUT, DATE=datetime.now(timezone.utc).isoformat(timespec='seconds')
    )
    header = SubElement(root, 'HEADER', MEDIA_FILE='', TIME_UNITS='milliseconds')
    for file in [media] if isinstance(media, (str, os.PathLike)) else media or ():
        SubElement(header, 'MEDIA_DESCRIPTOR', _media_link(file, path))
    rows = {name: _milliseconds(tier, f'{path}: tier {name!r}') for name, tier in tiers.items()}
    # ELAN reads slots in the order of time; each segment has two of its own.
    places = sorted(
        (time, name, number, side)
        for name, tier in rows.items()
        for number, row in enumerate(tier)
        for side, time in enumerate(row[:2])
    )
    slots = {place[1:]: f'ts{index}' for index, place in enumerate(places, 1)}
    order = SubElement(root, 'TIME_ORDER')
    for place in places:
        SubElement(order, 'TIME_SLOT', TIME_SLOT_ID=slots[place[1:]], TIME_VALUE=str(place[0]))
    annotations = 0
    for name, tier in rows.items():
        annotations = _add_tier(root, name, tier, slots, annotations)
        if any(row[3] is not None for row in tier):
            if f'{name}{SCORE_SUFFIX}' in tiers:
                raise UserValueError(
                    f'{path}: tier {name}{SCORE_SUFFIX} is that of the scores of {name!r}; rename it'
                )
            annotations = _add_scores(root, name, tier, annotations)
    SubElement(header, 'PROPERTY', NAME='lastUsedAnnotationId').text = str(annotations)
    for kind, constraint in ((_GLOSS_TYPE, {}), (_SCORE_TYPE, dict(CONSTRAINTS=_ASSOCIATION))):
        aligned = 'false' if constraint else 'true'
        SubElement(root, 'LINGUISTIC_TYPE', constraint, LINGUISTIC_TYPE_ID=kind, TIME_ALIGNABLE=aligned)
    SubElement(
        root, 'CONSTRAINT', STEREOTYPE=_ASSOCIATION, DESCRIPTION='1-1 association with a parent annotation'
    )
    indent(root, '    ')
    write_atomic(tostring(root, encoding='UTF-8', xml_declaration=True) + b'\n', path)


def _media_link(file: PathLike, path: PathLike) -> Dict[str, str]:
    absolute = Path(os.path.abspath(file))
    link = dict(MEDIA_URL=absolute.as_uri(), MIME_TYPE=_KINDS.get(absolute.suffix[1:].lower(), 'video/*'))
    try:
        below = os.path.relpath(absolute, os.path.dirname(os.path.abspath(path)))
    except ValueError:  # another drive of Windows
        return link
    return dict(link, RELATIVE_MEDIA_URL='./' + below.replace(os.sep, '/'))


def whole_milliseconds(start: float, end: float) -> Tuple[int, int]:
    """Both times in milliseconds; (-1, -1) where one is not finite."""
    if not math.isfinite(start) or not math.isfinite(end):
        return -1, -1
    return round(start * 1000), round(end * 1000)


def _milliseconds(segments: Sequence[Scored], where: str) -> List[Row]:
    """The segments in order, checked."""
    rows: List[Row] = []
    for start, end, gloss, score in sorted(segments, key=lambda row: row[:2]):
        row = *whole_milliseconds(start, end), gloss, score
        what = f'{where}: segment {gloss!r:.60} from {start:g} to {end:g} s'
        if row[0] < 0 or row[1] <= row[0]:
            raise UserValueError(f'{what} has no place or no length in time; correct its seconds')
        if rows and row[0] < rows[-1][1]:
            raise UserValueError(
                f'{what} overlaps {rows[-1][2]!r:.60}, which ends at {rows[-1][1] / 1000:g} s; a tier of '
                'ELAN has no overlaps: write them to tiers of their own'
            )
        if _NO_XML.search(gloss):
            raise UserValueError(f'{what} holds control characters, which XML cannot; remove them')
        rows.append(row)
    return rows


def _add_tier(
    root: Element, name: str, tier: Sequence[Row], slots: Mapping[Tuple[str, int, int], str], count: int
) -> int:
    """Adds a tier of glosses, whose annotations are numbered from ``count`` + 1; returns the last number."""
    element = SubElement(root, 'TIER', LINGUISTIC_TYPE_REF=_GLOSS_TYPE, PARTICIPANT=name, TIER_ID=name)
    for number, row in enumerate(tier):
        annotation = SubElement(
            SubElement(element, 'ANNOTATION'),
            'ALIGNABLE_ANNOTATION',
            ANNOTATION_ID=f'a{count + number + 1}',
            TIME_SLOT_REF1=slots[name, number, 0],
            TIME_SLOT_REF2=slots[name, number, 1],
        )
        SubElement(annotation, 'ANNOTATION_VALUE').text = row[2]
    return count + len(tier)


def _add_scores(root: Element, name: str, tier: Sequence[Row], count: int) -> int:
    """Adds the scores of the tier that ends at annotation ``count``; returns the last number."""
    element = SubElement(
        root,
        'TIER',
        LINGUISTIC_TYPE_REF=_SCORE_TYPE,
        PARENT_REF=name,
        PARTICIPANT=name,
        TIER_ID=f'{name}{SCORE_SUFFIX}',
    )
    last = count
    for number, row in enumerate(tier):
        if row[3] is None:
            continue
        last += 1
        parent = f'a{count - len(tier) + number + 1}'
        annotation = SubElement(
            SubElement(element, 'ANNOTATION'),
            'REF_ANNOTATION',
            ANNOTATION_ID=f'a{last}',
            ANNOTATION_REF=parent,
        )
        SubElement(annotation, 'ANNOTATION_VALUE').text = f'{row[3]:.4f}'
    return last
