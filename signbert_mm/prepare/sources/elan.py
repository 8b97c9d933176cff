"""Annotations of ELAN as an index: those of a tier are clips of the linked video."""

import fnmatch
import logging
import os
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple
from urllib.parse import unquote

from ...errors import UserValueError
from ...files.eaf import EafDocument, EafMedia, EafTier, read_eaf
from ...files.folders import VIDEO_SUFFIXES, list_files, name_below, suffix_of
from ...files.paths import MAX_NAME_BYTES
from ...files.text import clean_text
from ...logs import print_log
from .annotation import ClipRecord, SourceIndex
from .splits import Splits


@dataclass
class EafIndex:
    """The clips of .eaf files.

    Args:
        index (SourceIndex): The clips; times are those of the video.
        videos (dict[str, str]): Paths of the linked videos that exist, by the name that the clips give them.
        skipped (list[str]): What is no clip: the place, the annotation and the reason.
        absent (list[str]): Linked videos that are not there: the name, the .eaf file, and what resembles it.
    """

    index: SourceIndex
    videos: Dict[str, str]
    skipped: List[str] = field(default_factory=list)
    absent: List[str] = field(default_factory=list)


@dataclass
class _Annotated:
    """An annotation that becomes a clip."""

    clip: str
    gloss: str
    signer: str
    video: str
    start: float
    end: float
    where: str


def eaf_index(
    root: str,
    tiers: Sequence[str],
    splits: Optional[Splits] = None,
    videos: str = '',
    media: str = '*',
    source: str = '',
    licence: str = '',
    repeated: str = 'error',
) -> EafIndex:
    """The annotations of some tiers as clips.

    The gloss is the annotation's value (NFC, blanks as single spaces), the signer the tier's participant, or
    else its name. A clip's id is ``<video>/<tier>_<start>-<end>`` in milliseconds of the document.

    The video is the first linked one that fits ``media``: at its absolute path, else at the one from the .eaf
    file, else the file of its name beside the .eaf file, else the one below ``videos`` whose path ends most
    like its own. No file is taken by its name for .eaf files that link different ones.

    Args:
        root (str): An .eaf file, or a folder of them, searched to any depth.
        tiers (Sequence[str]): Names of tiers, or shell patterns: 'Gloss *'.
        splits (Splits, optional): None = all in 'train'.
        videos (str): A folder with the videos, searched to any depth; '' = the folder of the .eaf files.
        media (str): Shell pattern of the video's file name, where several are linked: '*_front.*'.
        source, licence (str): For the store's meta.
        repeated (str): As :class:`SourceIndex`.

    Raises:
        FileNotFoundError: There is no such file or folder, or no .eaf file in it.
        ValueError: No file has such a tier (their tiers are named), or no annotation is left; a file is no
            .eaf file; a video is linked by two names; as :meth:`Splits.assign`.
    """
    files = _eaf_files(root)
    folder = root if os.path.isdir(root) else os.path.dirname(root) or os.curdir
    documents = [(path, read_eaf(path)) for path in files]
    finder = _VideoFinder(folder, videos, media, documents)
    rows: List[_Annotated] = []
    skipped: List[str] = []
    known: Counter = Counter()
    for path, document in documents:
        known.update({name: len(tier.annotations) for name, tier in document.tiers.items()})
        chosen = [tier for name, tier in document.tiers.items() if _fits(name, tiers)]
        if not chosen:
            skipped.append(f'{path}: no tier {" or ".join(tiers)}')
            continue
        video, origin = finder.find(document, path)
        for tier in chosen:
            rows += _annotated(tier, video, origin, path, skipped)
    finder.report()
    if not rows:
        names = ', '.join(f'{name!r} ({count})' for name, count in known.most_common(20))
        reasons = f'; skipped: {"; ".join(skipped[:3])}' if skipped else ''
        raise UserValueError(
            f'{root}: no annotation on a tier {" or ".join(map(repr, tiers))}; tiers and their annotations: '
            f'{names or "none"}; name one of them (--tier){reasons}'
        )
    index = _index(root, rows, splits or Splits(), list(tiers), skipped, source, licence, repeated)
    return EafIndex(index, finder.paths, skipped, finder.absent)


def _eaf_files(root: str) -> List[str]:
    if os.path.isfile(root):
        return [root]
    if not os.path.isdir(root):
        raise FileNotFoundError(f'{os.path.abspath(root)}: no such file or folder; give .eaf files of ELAN')
    files = sorted(path for _, path in list_files(root, ('.eaf',), 'an .eaf file').taken)
    if not files:
        raise FileNotFoundError(f'{os.path.abspath(root)}: no .eaf files in it')
    return files


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(name == clean_text(one) or fnmatch.fnmatchcase(name, clean_text(one)) for one in patterns)


def _annotated(
    tier: EafTier, video: str, origin: float, path: str, skipped: List[str]
) -> Iterator[_Annotated]:
    """The annotations of a tier that can be clips; the others are noted in ``skipped``."""
    where = f'{path}: tier {tier.name!r}'
    skipped += [f'{where}: {name}: {reason}' for name, reason in tier.skipped]
    empty = [item for item in tier.annotations if not item.value]
    if empty:
        skipped.append(f'{where}: {len(empty)} without a gloss, the first: {empty[0].name}')
    for item in tier.annotations:
        gloss = ' '.join(item.value.split())
        begin, end = round(item.start * 1000), round(item.end * 1000)
        reason = ''
        if end <= begin or item.end + origin <= 0:
            reason = f'from {item.start + origin:g} to {item.end + origin:g} s of the video, so no frames'
        elif len(gloss.encode()) > MAX_NAME_BYTES:
            reason = f'{len(gloss.encode())} bytes, which is no gloss ({MAX_NAME_BYTES} at most)'
        if reason:
            skipped.append(f'{where}: {item.name} ({gloss:.40}): {reason}')
        elif gloss:
            # A tier's name may hold what parts folders.
            clip = f'{video}/{tier.name.replace("/", "_")}_{begin}-{end}'
            signer = tier.participant or tier.name
            yield _Annotated(
                clip, gloss, signer, video, item.start + origin, item.end + origin, f'{where}: {item.name}'
            )


def _index(
    root: str,
    rows: Sequence[_Annotated],
    splits: Splits,
    tiers: List[str],
    skipped: List[str],
    source: str,
    licence: str,
    repeated: str,
) -> SourceIndex:
    glosses = sorted({row.gloss for row in rows})
    labels = {gloss: label for label, gloss in enumerate(glosses)}
    split_of = splits.assign(
        {row.clip: row.gloss for row in rows}, {row.clip: row.signer for row in rows}, root, 'tiers are of'
    )
    records = [
        ClipRecord.of_span(
            row.clip,
            labels[row.gloss],
            split_of[row.clip],
            row.video,
            row.signer,
            start=row.start,
            end=row.end,
            media_time=True,
            where=row.where,
        )
        for row in rows
    ]
    name = os.path.splitext(os.path.basename(os.path.abspath(root)))[0]
    notes = dict(splits=splits.notes(), tiers=tiers, skipped=len(skipped))
    return SourceIndex(
        name, glosses, records, source, licence, notes=notes, annotation=root, repeated=repeated
    )


class _Link:
    """A video that an .eaf file links.

    Args:
        path (str): Of the .eaf file.
        item (EafMedia, optional): The link; None = it links no video, so that its own name must do.

    Attributes:
        absolute (str): What the link says, on the computer that wrote it; '' = nothing.
        places (list[str]): That, and what it says from the .eaf file, each with its ``%20`` as blanks and,
            where that is another, as it is written: both occur.
        beside (list[str]): The same name beside the .eaf file, likewise.
        names (list[str]): Of the video's file, likewise.
        name (str): The first of these.
    """

    def __init__(self, path: str, item: Optional[EafMedia]) -> None:
        self.path, self.origin = path, item.origin if item else 0.0
        folder = os.path.dirname(os.path.abspath(path))
        names = [_file_name(item), _raw_name(item)] if item else [os.path.basename(path)]
        self.beside = [os.path.join(folder, name) for name in dict.fromkeys(names)]
        self.names = [clean_text(name) for name in dict.fromkeys(names)]
        self.name = self.names[0]
        url, relative = (item.url, item.relative) if item else ('', '')
        # No parser of addresses: ELAN writes # and ? of file names as they are.
        absolute = re.sub('^file:(//[^/]*)?(?=/)', '', url)
        self.absolute = os.path.normpath(unquote(absolute)) if os.path.isabs(absolute) else ''
        # Older files have file:/./a.mp4 here, which is no absolute path either.
        relative = re.sub('^file:/*', '', relative)
        written = [absolute] * bool(self.absolute) + [os.path.join(folder, relative)] * bool(relative)
        places = [os.path.normpath(form(place)) for place in written for form in (unquote, str)]
        self.places = list(dict.fromkeys(places)) or self.beside

    def is_other(self, link: '_Link') -> bool:
        """Whether the two say different files."""
        # Paths from the .eaf file are equal after a move of the .eaf files into one folder.
        if self.absolute and link.absolute:
            return self.absolute != link.absolute
        return not {*self.places} & {*link.places}

    def likeness(self, file: str) -> int:
        """How many parts, from the end, a path shares with what the link says, or with ``beside``.

        Capitals do not matter.
        """
        ends = [
            clean_text(place).casefold().replace('\\', '/').split('/')[::-1]
            for place in (file, *self.places, *self.beside)
        ]
        return max(len(os.path.commonprefix([ends[0], end])) for end in ends[1:])


def _named_so(link: _Link, by_name: Mapping[str, Sequence[str]]) -> List[str]:
    """The files of a link's name; else of one with other capitals, which Windows takes for the same."""
    files = [file for name in link.names for file in by_name.get(name, ())]
    folded = {name.casefold() for name in link.names}
    return files or [file for name in by_name if name.casefold() in folded for file in by_name[name]]


def _match(links: Sequence[_Link], by_name: Mapping[str, Sequence[str]]) -> Dict[_Link, str]:
    """The file of each link, '' = none: where the link says, else the likest of those of its name.

    What lies where one link says is not of another, and of two links to one file the likest has it.
    """
    matched = {link: next(filter(os.path.isfile, link.places), '') for link in links}
    owners: Dict[str, List[_Link]] = defaultdict(list)
    for link, file in matched.items():
        if file:
            owners[os.path.realpath(file)].append(link)
    guesses: Dict[str, List[Tuple[_Link, str]]] = defaultdict(list)
    for link in (link for link in links if not matched[link]):
        near = [*_named_so(link, by_name), *filter(os.path.isfile, link.beside)]
        files = {os.path.realpath(file): file for file in near}
        free = {key: link.likeness(files[key]) for key in files if not any(map(link.is_other, owners[key]))}
        likest = [key for key in free if free[key] == max(free.values())]
        if len(likest) == 1:
            guesses[likest[0]].append((link, files[likest[0]]))
    for rivals in guesses.values():
        for link, file in rivals:
            others = [rival.likeness(file) for rival, _ in rivals if link.is_other(rival)]
            matched[link] = file if link.likeness(file) > max(others, default=0) else ''
    return matched


class _VideoFinder:
    """Which video the annotations of a file are of.

    Args:
        folder, videos, pattern: ``root`` or its folder, ``videos`` and ``media`` of :func:`eaf_index`.
        documents (Sequence[tuple[str, EafDocument]]): Path and content of all .eaf files.

    Attributes:
        paths (dict[str, str]): Of the videos that exist, by the names given.
        absent (list[str]): As of :class:`EafIndex`.
    """

    def __init__(
        self, folder: str, videos: str, pattern: str, documents: Sequence[Tuple[str, EafDocument]]
    ) -> None:
        self.folders = [os.path.abspath(place) for place in (folder, videos or folder)]
        self.pattern = pattern
        self.paths: Dict[str, str] = {}
        self._named: Dict[str, Tuple[_Link, str]] = {}
        self._guessed: List[str] = []
        self._refused: List[str] = []
        self.absent: List[str] = []
        self._links = {
            path: [_Link(path, item) for item in document.media if self._is_wanted(item)]
            for path, document in documents
        }
        self._by_name: Dict[str, List[str]] = defaultdict(list)
        for name, file in list_files(self.folders[1], tuple(VIDEO_SUFFIXES), 'a video').taken:
            self._by_name[name.rsplit('/', 1)[-1]].append(file)
        links = [link for path in self._links for link in self._links[path]]
        self._files = _match(links, self._by_name)

    def find(self, document: EafDocument, path: str) -> Tuple[str, float]:
        """The video's name, and its seconds at the document's time 0.

        Raises:
            ValueError: No linked video fits the pattern, or two videos would have one name.
        """
        links = self._links[path]
        if not links and document.media and self.pattern != '*':
            names = ', '.join(map(_file_name, document.media))
            raise UserValueError(f'{path}: no linked video is called {self.pattern!r}; linked: {names}')
        first = links[0] if links else _Link(path, None)
        link = next(filter(self._files.get, links), first)
        file = self._files.get(link, '')
        near = [] if file else _named_so(link, self._by_name)
        if near:
            self._refused.append(f'{near[0]} for {path}')
        elif not file:
            self.absent.append(self._describe_absent(link, path, bool(document.media)))
        elif file and link.likeness(file) == 1:
            self._guessed.append(f'{file} for {path}')
        return self._name(link, file), link.origin

    def _describe_absent(self, link: _Link, path: str, linked: bool) -> str:
        stem = os.path.splitext(link.name)[0]
        others = [name for name in self._by_name if os.path.splitext(name)[0] == stem]
        more = f' ({others[0]} is there: link it in ELAN if it is the same recording)' if others else ''
        return f'{link.name if linked else "no video is linked"}: {path}{more}'

    def report(self) -> None:
        """Warns of videos that are not where the .eaf files say, and of what has their file name."""
        for found, what in (
            (self._guessed, 'taken by their file name alone'),
            (self._refused, 'not taken, since they fit several .eaf files, or several of them fit'),
        ):
            if found:
                print_log(
                    f'{self.folders[0]}: {len(found):,} videos are not where their .eaf files say; files of '
                    f'the same name are {what}, the first: {found[0]}; correct the links, or put videos '
                    'beside the .eaf files',
                    logger='current',
                    level=logging.WARNING,
                )

    def _is_wanted(self, item: EafMedia) -> bool:
        name = _file_name(item)
        return suffix_of(name) in VIDEO_SUFFIXES and fnmatch.fnmatchcase(name, self.pattern)

    def _name(self, link: _Link, file: str) -> str:
        """The video's path below a folder without suffix, or its file name where it lies elsewhere.

        Of an absent video it is that where it should lie: earlier poses may still have the name.
        """
        places = [file] if file else [*link.places, *link.beside]
        below = [
            name_below(folder, place)
            for place in places
            for folder in self.folders
            if place.startswith(os.path.join(folder, ''))
        ]
        name = os.path.splitext(below[0] if below else clean_text(os.path.basename(file)))[0]
        other, known = self._named.setdefault(name, (link, file))
        same = os.path.samefile(file, known) if file and known else not link.is_other(other)
        if not same:
            raise UserValueError(
                f'{link.path}: its video {file or link.places[0]} and {known or other.places[0]} (of '
                f'{other.path}) would both be called {name!r}; correct the links if they are one, else '
                'rename one of them, or convert them apart'
            )
        if file:
            self.paths[name] = file
        return name


def _raw_name(item: EafMedia) -> str:
    """The file's name as it is written; addresses of Windows have either slash."""
    return (item.url or item.relative).replace('\\', '/').rsplit('/', 1)[-1]


def _file_name(item: EafMedia) -> str:
    """The file's name, with its ``%20`` as blanks."""
    return unquote(_raw_name(item))
