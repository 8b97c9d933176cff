"""Annotations of ELAN as an index: those of a tier are clips of the linked video."""

import fnmatch
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Optional, Sequence, Tuple
from urllib.parse import unquote, urlsplit

from ...errors import UserValueError
from ...files.eaf import EafDocument, EafMedia, EafTier, read_eaf
from ...files.folders import VIDEO_SUFFIXES, list_files, name_below, suffix_of
from ...files.paths import MAX_NAME_BYTES
from ...files.text import clean_text
from .annotation import ClipRecord, SourceIndex
from .names import NameIndex
from .splits import Splits


@dataclass
class EafIndex:
    """The clips of .eaf files.

    Args:
        index (SourceIndex): The clips; times are those of the video.
        videos (dict[str, str]): Paths of the linked videos that exist, by the name that the clips give them.
        skipped (list[str]): What is no clip: the place, the annotation and the reason.
    """

    index: SourceIndex
    videos: Dict[str, str]
    skipped: List[str] = field(default_factory=list)


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
    file, else the file of its name beside the .eaf file, else below ``videos``.

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
    finder = _VideoFinder(folder, videos, media)
    rows: List[_Annotated] = []
    skipped: List[str] = []
    known: Counter = Counter()
    for path in files:
        document = read_eaf(path)
        known.update({name: len(tier.annotations) for name, tier in document.tiers.items()})
        chosen = [tier for name, tier in document.tiers.items() if _fits(name, tiers)]
        if not chosen:
            skipped.append(f'{path}: no tier {" or ".join(tiers)}')
            continue
        video, origin = finder.find(document, path)
        for tier in chosen:
            rows += _annotated(tier, video, origin, path, skipped)
    if not rows:
        names = ', '.join(f'{name!r} ({count})' for name, count in known.most_common(20))
        reasons = f'; skipped: {"; ".join(skipped[:3])}' if skipped else ''
        raise UserValueError(
            f'{root}: no annotation on a tier {" or ".join(map(repr, tiers))}; tiers and their annotations: '
            f'{names or "none"}; name one of them (--tier){reasons}'
        )
    index = _index(root, rows, splits or Splits(), list(tiers), skipped, source, licence, repeated)
    return EafIndex(index, finder.paths, skipped)


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
            where=row.where,
        )
        for row in rows
    ]
    name = os.path.splitext(os.path.basename(os.path.abspath(root)))[0]
    notes = dict(splits=splits.notes(), tiers=tiers, skipped=len(skipped))
    return SourceIndex(
        name, glosses, records, source, licence, notes=notes, annotation=root, repeated=repeated
    )


class _VideoFinder:
    """Which video the annotations of a file are of.

    Attributes:
        paths (dict[str, str]): Of the videos that exist, by the names given.
    """

    def __init__(self, folder: str, videos: str, pattern: str) -> None:
        self.folder, self.pattern = folder, pattern
        self.paths: Dict[str, str] = {}
        where = videos or folder
        self._below = NameIndex(list_files(where, tuple(VIDEO_SUFFIXES), 'a video').taken, where)

    def find(self, document: EafDocument, path: str) -> Tuple[str, float]:
        """The video's name, and its seconds at the document's time 0."""
        linked = [item for item in document.media if self._is_wanted(item)]
        if not linked and document.media and self.pattern != '*':
            names = ', '.join(map(_file_name, document.media))
            raise UserValueError(f'{path}: no linked video is called {self.pattern!r}; linked: {names}')
        for item in linked:
            video = self._place(item, path)
            if video:
                return self._name(video, path), item.origin
        # Poses that were extracted before may still have the name.
        stem = os.path.splitext(_file_name(linked[0]) if linked else os.path.basename(path))[0]
        return clean_text(stem), linked[0].origin if linked else 0.0

    def _is_wanted(self, item: EafMedia) -> bool:
        name = _file_name(item)
        return suffix_of(name) in VIDEO_SUFFIXES and fnmatch.fnmatchcase(name, self.pattern)

    def _place(self, item: EafMedia, path: str) -> str:
        """The path of a linked video; '' = there is none."""
        beside = os.path.dirname(os.path.abspath(path))
        absolute = unquote(urlsplit(item.url).path) if item.url.startswith('file:') else item.url
        # Older files have file:/./a.mp4 here, which is no absolute path either.
        relative = unquote(re.sub('^file:/*', '', item.relative))
        places = [os.path.join(beside, _file_name(item))]
        places = [os.path.join(beside, relative), *places] if relative else places
        places = [absolute, *places] if os.path.isabs(absolute) else places
        video = next((place for place in places if '\0' not in place and os.path.isfile(place)), '')
        if not video:
            key = self._below.key(_file_name(item))
            video = self._below[key] if key else ''
        return os.path.normpath(video) if video else ''

    def _name(self, video: str, path: str) -> str:
        """The video's path below the folder without suffix, or its file name where it lies elsewhere."""
        inside = os.path.commonpath([os.path.abspath(self.folder), os.path.abspath(video)])
        if inside == os.path.abspath(self.folder):
            name = os.path.splitext(name_below(self.folder, video))[0]
        else:
            name = clean_text(os.path.splitext(os.path.basename(video))[0])
        other = self.paths.setdefault(name, video)
        if not os.path.samefile(other, video):
            raise UserValueError(
                f'{path}: its video {video} and {other} would both be called {name!r}; rename one of '
                'them, or convert them apart'
            )
        return name


def _file_name(item: EafMedia) -> str:
    """The file's name; addresses of Windows have either slash."""
    return unquote(item.url or item.relative).replace('\\', '/').rsplit('/', 1)[-1]
