"""Extraction of the videos that have no poses yet."""

import os
from typing import TYPE_CHECKING, List, Mapping, Optional, Sequence, Tuple, Union

from ...datasets.store_format import META
from ...errors import UserValueError
from ...files.folders import LeftOut, report_left_out
from .annotation import SourceIndex
from .lookup import check_mixture, find_clips, find_names
from .names import NameIndex, videos_below
from .poses import PoseSource, StorePoses, extractor_name, failures

if TYPE_CHECKING:
    from ...extraction import PoseExtractor


# A folder, or the paths of videos by name.
Videos = Union[str, Mapping[str, str]]


def videos_place(videos: Optional[Videos]) -> str:
    """Where videos lie, for messages; '' = there are none."""
    if isinstance(videos, Mapping):
        folders = {os.path.dirname(os.path.abspath(path)) for path in videos.values()}
        return os.path.commonpath(folders) if folders else ''
    return os.path.abspath(videos) if videos else ''


def extract_absent(
    index: SourceIndex,
    out: str,
    sources: Sequence[PoseSource],
    videos: Videos,
    extractor: Union[None, str, dict, 'PoseExtractor'],
    workers: int = 1,
    allow_mixed: bool = False,
    extraction: Optional[dict] = None,
) -> Tuple[List[PoseSource], NameIndex, List[LeftOut]]:
    """Extracts the poses of those videos of ``index`` that no source has, into ``<out>.poses``.

    If that store is complete, they go into ``<out>.poses2``, and so on.

    Args:
        index, out, sources, videos, extractor, workers, allow_mixed, extraction: As :func:`convert`.

    Returns:
        tuple[list[PoseSource], NameIndex, list[LeftOut]]: All sources; why a video has no poses, by its name;
            what else lies in the folder.

    Raises:
        ValueError: There is something to extract and no extractor, or poses of several extractors would mix;
            before anything is extracted.
    """
    from ...extraction import build_extractor, extract_folder

    if isinstance(videos, Mapping):
        found, left_out = list(videos.items()), []
    else:
        found, left_out = videos_below(videos)
    place = videos_place(videos)
    if index.repeated == 'first':
        # Sorted backwards, so that the first of equal names is the one that stays in the dict.
        found = list(dict(sorted(found, reverse=True)).items())
    files: NameIndex[str] = NameIndex(found, place)
    stores = _stores(out)
    sources = [*sources, *map(StorePoses, stores)]
    places = find_clips(index.records, sources)
    names = find_names([record for record, place in zip(index.records, places) if place is None], files)
    needed = {name: files[name] for name in names if name is not None}
    used = {*needed, *find_names(index.records, files)}
    left_out += [
        LeftOut(files[name], 'a video of no listed clip') for name in files.names() if name not in used
    ]
    report_left_out(left_out, place)
    if not needed:
        return sources, NameIndex((), place), left_out
    if extractor is None:
        raise UserValueError(
            f'{place}: poses of {len(needed):,} videos are to be extracted; name the extractor (--extractor)'
        )
    built = build_extractor(extractor)
    check_mixture(
        [place for place in places if place],
        allow_mixed,
        (built.layout.name, extractor_name(built.name, built.version, built.fingerprint)),
    )
    print(f'{index.name}: poses of {len(needed):,} videos (of {len(files):,} in {place}) are extracted')
    target = _numbered(out, len(stores))
    if workers > 1:
        # Each worker builds its own.
        built.close()
    try:
        store = extract_folder(
            list(needed.items()),
            target,
            extractor if workers > 1 else built,
            workers,
            source=index.source,
            licence=index.licence,
            **(extraction or {}),
        )
    except ValueError:
        unread = dict(failures(f'{target}.parts'))
        if set(unread) != set(needed):
            raise
        # No video could be read: all are missing clips, which is no error here.
        return sources, NameIndex(unread.items(), place), left_out
    return [*sources, StorePoses(store)], NameIndex(failures(target), place), left_out


def _stores(out: str) -> List[str]:
    """Complete stores of earlier extractions."""
    stores: List[str] = []
    while os.path.isfile(os.path.join(_numbered(out, len(stores)), META)):
        stores.append(_numbered(out, len(stores)))
    return stores


def _numbered(out: str, index: int) -> str:
    return f'{os.path.abspath(out)}.poses' + (str(index + 1) if index else '')
