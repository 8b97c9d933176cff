"""Reads the annotation files of ELAN (.eaf)."""

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple, Union
from xml.etree.ElementTree import Element

from ..errors import UserValueError
from .text import clean_text
from .xml import read_xml

# Of a tier's name: its annotations are the scores of those of the tier that is called so without it.
SCORE_SUFFIX = '-score'
ALIGNABLE, REFERRING = 'ALIGNABLE_ANNOTATION', 'REF_ANNOTATION'
MAX_DEPTH = 100  # of tiers that depend on tiers
Scored = Tuple[float, float, str, Optional[float]]


class EafAnnotation(NamedTuple):
    """One annotation.

    Attributes:
        start, end (float): Seconds of the document's time, which a media file may be shifted against.
        value (str): As it is in the file, in Unicode NFC, without blanks at its ends.
        name (str): Its id in the file.
    """

    start: float
    end: float
    value: str
    name: str


class EafMedia(NamedTuple):
    """A linked media file.

    Attributes:
        url (str): ``file:///C:/videos/a.mp4``, of the computer that wrote the file; '' where it is absent.
        relative (str): ``./a.mp4``, from the .eaf file; '' where it is absent.
        kind (str): MIME type, ``video/mp4``.
        origin (float): Seconds of the media at the document's time 0.
    """

    url: str
    relative: str
    kind: str
    origin: float


@dataclass
class EafTier:
    """A tier.

    Args:
        name (str): Its id.
        participant (str): The signer; '' = not given.
        parent (str): Name of the tier that it depends on; '' = none.
        annotations (list[EafAnnotation]): By start.
        skipped (list[tuple[str, str]]): Id and reason of annotations that have no place in time.
    """

    name: str
    participant: str = ''
    parent: str = ''
    annotations: List[EafAnnotation] = field(default_factory=list)
    skipped: List[Tuple[str, str]] = field(default_factory=list)


@dataclass
class EafDocument:
    """The content of an .eaf file.

    Args:
        media (list[EafMedia]): Linked files.
        tiers (dict[str, EafTier]): By name, in the file's order.
    """

    media: List[EafMedia]
    tiers: Dict[str, EafTier]

    def scored(self, tier: str) -> List[Scored]:
        """The annotations of a tier as ``(start, end, value, score)``, the form in which they are written.

        The score is that of the tier ``<tier>-score`` over the same time; None where there is none.
        """
        scores = self.tiers.get(f'{tier}{SCORE_SUFFIX}')
        by_time = {(item.start, item.end): item.value for item in scores.annotations} if scores else {}
        return [
            (item.start, item.end, item.value, _number(by_time.get((item.start, item.end))))
            for item in self.tiers[tier].annotations
        ]


def _number(text: Optional[str]) -> Optional[float]:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def read_eaf(path: Union[str, 'os.PathLike[str]']) -> EafDocument:
    """Reads an .eaf file of ELAN; nothing outside the file is opened.

    A time slot without a value lies evenly between those with one: along its tier's annotations, which share
    slots, else in the order of the file. An annotation that refers to another has its time. Where several of
    one tier refer to the same one (a symbolic subdivision), they share its time evenly, in their order.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no .eaf file, its times are not milliseconds, a value is no whole number, or an id
            comes twice; the message names the file and the element.
    """
    root = read_xml(path)
    if root.tag != 'ANNOTATION_DOCUMENT':
        raise UserValueError(f'{path}: element {root.tag[:60]!r} found; an .eaf file of ELAN is expected')
    header = root.find('HEADER')
    unit = 'milliseconds' if header is None else header.get('TIME_UNITS', 'milliseconds')
    if unit != 'milliseconds':
        raise UserValueError(
            f'{path}: TIME_UNITS is {unit!r}; milliseconds are read, as ELAN writes them: save it there'
        )
    media = [] if header is None else [_media(item, path) for item in header.iter('MEDIA_DESCRIPTOR')]
    return EafDocument(media, _Times(root, path).tiers())


def _media(item: Element, path: object) -> EafMedia:
    origin = _whole(item.get('TIME_ORIGIN') or '0', 'TIME_ORIGIN', path)
    url, relative = item.get('MEDIA_URL', ''), item.get('RELATIVE_MEDIA_URL', '')
    return EafMedia(url, relative, item.get('MIME_TYPE', ''), origin / 1000)


def _whole(text: str, what: str, path: object) -> int:
    text = text.strip()
    # A longer number could not be a time, and takes long to read.
    if not text.lstrip('-').isdecimal() or len(text) > 18:
        raise UserValueError(f'{path}: {what} is {text!r:.60}; whole milliseconds expected')
    return int(text)


class _Times:
    """Places of all annotations of a document in time, in milliseconds."""

    def __init__(self, root: Element, path: object) -> None:
        self.path, self.root = path, root
        self.order: List[str] = []
        self.slots: Dict[str, float] = {}
        for slot in root.iterfind('TIME_ORDER/TIME_SLOT'):
            name = slot.get('TIME_SLOT_ID', '')
            self.order.append(name)
            if slot.get('TIME_VALUE') is not None:
                self.slots[name] = _whole(slot.get('TIME_VALUE', ''), f'time slot {name}', path)
        self.divided = {
            kind.get('LINGUISTIC_TYPE_ID')
            for kind in root.iterfind('LINGUISTIC_TYPE')
            if kind.get('CONSTRAINTS') == 'Symbolic_Subdivision'
        }

    def tiers(self) -> Dict[str, EafTier]:
        elements: Dict[str, Element] = {}
        for tier in self.root.iterfind('TIER'):
            name = clean_text(tier.get('TIER_ID', ''))
            if name in elements:
                raise UserValueError(f'{self.path}: tier {name!r} is there twice; rename one of them in ELAN')
            elements[name] = tier
        # A parent's annotations set the times that those of its dependent tiers lie between.
        for name in sorted(elements, key=lambda name: self._depth(name, elements)):
            self._fill_chains(elements[name])
        self._fill(self.order)
        spans = self._spans(elements)
        return {name: self._tier(name, element, spans) for name, element in elements.items()}

    def _depth(self, name: str, elements: Dict[str, Element]) -> int:
        # Tiers that depend on each other in a circle, which ELAN does not write, would have no end.
        for depth in range(MAX_DEPTH):
            if name not in elements:
                return depth
            name = clean_text(elements[name].get('PARENT_REF', ''))
        return MAX_DEPTH

    def _fill_chains(self, tier: Element) -> None:
        """Sets the slots without a value along runs of annotations that begin where the one before ends."""
        following = {
            item.get('TIME_SLOT_REF1', ''): item.get('TIME_SLOT_REF2', '') for item in tier.iter(ALIGNABLE)
        }
        passed: Set[str] = set()
        for start in [slot for slot in following if slot in self.slots]:
            chain = [start, following[start]]
            # A slot that was passed before leads to none with a value, or in a circle.
            while chain[-1] in following and chain[-1] not in self.slots and chain[-1] not in passed:
                passed.add(chain[-1])
                chain.append(following[chain[-1]])
            self._fill(chain)

    def _fill(self, slots: Sequence[str]) -> None:
        """Sets the slots without a value that lie between two with one."""
        known = [place for place, slot in enumerate(slots) if slot in self.slots]
        for first, last in zip(known, known[1:]):
            begin, step = self.slots[slots[first]], 0.0
            if last > first + 1:
                step = (self.slots[slots[last]] - begin) / (last - first)
            for place in range(first + 1, last):
                self.slots[slots[place]] = begin + step * (place - first)

    def _spans(self, elements: Dict[str, Element]) -> Dict[str, Tuple[float, float]]:
        """Start and end of each annotation that has a place in time."""
        spans: Dict[str, Tuple[float, float]] = {}
        names: List[str] = []
        # Parent and tier -> the annotations of this tier that refer to it.
        children: Dict[Tuple[str, str], List[Element]] = {}
        for name, tier in elements.items():
            for item in self._annotations(tier):
                names.append(item.get('ANNOTATION_ID', ''))
                if item.tag == REFERRING:
                    children.setdefault((item.get('ANNOTATION_REF', ''), name), []).append(item)
                    continue
                begin, end = (self.slots.get(item.get(f'TIME_SLOT_REF{side}', '')) for side in (1, 2))
                if begin is not None and end is not None:
                    spans[names[-1]] = begin, end
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise UserValueError(
                f'{self.path}: annotation {twice[0]!r} is there twice; open and save it in ELAN'
            )
        # From parents to their children; those of a circle are never reached.
        by_parent: Dict[str, List[Tuple[str, List[Element]]]] = {}
        for (parent, name), items in children.items():
            by_parent.setdefault(parent, []).append((name, items))
        waiting = list(spans)
        while waiting:
            parent = waiting.pop()
            for name, items in by_parent.get(parent, ()):
                divided = elements[name].get('LINGUISTIC_TYPE_REF') in self.divided
                begin, end = spans[parent]
                step = (end - begin) / len(items)
                for place, item in enumerate(_in_order(items)):
                    child = item.get('ANNOTATION_ID', '')
                    part = begin + step * place, begin + step * (place + 1)
                    spans[child] = part if divided else (begin, end)
                    waiting.append(child)
        return spans

    @staticmethod
    def _annotations(tier: Element) -> Iterator[Element]:
        return (item for item in tier.iterfind('ANNOTATION/*') if item.tag in (ALIGNABLE, REFERRING))

    def _tier(self, name: str, element: Element, spans: Dict[str, Tuple[float, float]]) -> EafTier:
        participant, parent = (clean_text(element.get(key, '')) for key in ('PARTICIPANT', 'PARENT_REF'))
        tier = EafTier(name, participant, parent)
        for item in self._annotations(element):
            own = item.get('ANNOTATION_ID', '')
            value = clean_text(item.findtext('ANNOTATION_VALUE') or '')
            begin, end = spans.get(own, (0.0, -1.0))
            if own not in spans:
                tier.skipped.append((own, 'no place in time'))
            elif end < begin or begin < 0:
                tier.skipped.append((own, f'from {begin:g} to {end:g} ms'))
            else:
                tier.annotations.append(EafAnnotation(begin / 1000, end / 1000, value, own))
        tier.annotations.sort(key=lambda item: (item.start, item.end))
        return tier


def _in_order(items: Sequence[Element]) -> List[Element]:
    """Annotations that refer to one, each after its PREVIOUS_ANNOTATION."""
    after = {item.get('PREVIOUS_ANNOTATION', ''): item for item in items}
    ordered: List[Element] = []
    item = after.get('')
    while item is not None and len(ordered) < len(items):
        ordered.append(item)
        item = after.get(item.get('ANNOTATION_ID', ''))
    return ordered if len(ordered) == len(items) else list(items)
