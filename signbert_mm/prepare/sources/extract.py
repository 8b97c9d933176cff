"""Extraction of the videos that have no poses yet."""

import os
from typing import TYPE_CHECKING, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ...datasets.store_format import META
from ...errors import UserValueError
from ...extraction.extract_folder import DIGESTS, extraction_facts
from ...extraction.parts import differences, was_replaced
from ...files.folders import LeftOut, report_left_out
from .annotation import SourceIndex
from .lookup import Place, check_mixture, find_clips, find_names
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
) -> Tuple[List[PoseSource], NameIndex, List[LeftOut], Dict[int, str]]:
    """Extracts the poses of those videos of ``index`` that no source has, into ``<out>.poses``.

    If that store is complete, they go into ``<out>.poses2``, and so on. Videos that were replaced since they
    were extracted there are extracted anew.

    Args:
        index, out, sources, videos, extractor, workers, allow_mixed, extraction: As :func:`convert`.

    Returns:
        tuple[list[PoseSource], NameIndex, list[LeftOut], dict[int, str]]: All sources; why a video has no
            poses, by its name; what else lies in the folder; the file of each record's video, by the
            record's ``id``.

    Raises:
        ValueError: There is something to extract and no extractor; poses of several extractors would mix, or
            those of ``<out>.poses`` are of other settings than now; before anything is extracted.
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
    own = [StorePoses(store) for store in _stores(out)]
    sources = [*sources, *own]
    of_records = find_names(index.records, files)
    places = find_clips(index.records, sources)
    while _drop_replaced(own, places, of_records, files):
        places = find_clips(index.records, sources)
    paths = {id(record): files[name] for record, name in zip(index.records, of_records) if name}
    names = find_names([record for record, place in zip(index.records, places) if place is None], files)
    needed = {name: files[name] for name in names if name is not None}
    used = {*needed, *of_records}
    left_out += [
        LeftOut(files[name], 'a video of no listed clip') for name in files.names() if name not in used
    ]
    report_left_out(left_out, place)
    kept = [source for source in own if any(clip and clip.source is source for clip in places)]
    options = extraction or {}
    if extractor is None or not (needed or kept):
        if needed:
            raise UserValueError(
                f'{place}: poses of {len(needed):,} videos are to be extracted; name the extractor '
                '(--extractor)'
            )
        _check_kept(kept, {key: value for key, value in options.items() if value is not None}, allow_mixed)
        return sources, NameIndex((), place), left_out, paths
    built = build_extractor(extractor)
    if needed:
        check_mixture(
            [place for place in places if place],
            allow_mixed,
            (built.layout.name, extractor_name(built.name, built.version, built.fingerprint)),
        )
    rates = options.get('fps'), options.get('truncated', 'error'), options.get('image_fps', 0.0)
    _check_kept(kept, extraction_facts(built, *rates), allow_mixed)
    if not needed:
        if built is not extractor:
            built.close()
        return sources, NameIndex((), place), left_out, paths
    print(f'{index.name}: poses of {len(needed):,} videos (of {len(files):,} in {place}) are extracted')
    target = _numbered(out, len(own))
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
            **options,
        )
    except ValueError:
        unread = dict(failures(f'{target}.parts'))
        if set(unread) != set(needed):
            raise
        # No video could be read: all are missing clips, which is no error here.
        return sources, NameIndex(unread.items(), place), left_out, paths
    return [*sources, StorePoses(store)], NameIndex(failures(target), place), left_out, paths


def _drop_replaced(
    own: Sequence[StorePoses],
    places: Sequence[Optional[Place]],
    of_records: Sequence[Optional[str]],
    files: NameIndex[str],
) -> bool:
    """Leaves poses out whose video was replaced since; whether there are any."""
    dropped = False
    for source in own:
        # By the poses' name that of the file that they should be of.
        named = {
            place.key: place.key if place.key in files else name
            for place, name in zip(places, of_records)
            if place and place.source is source
        }
        digests = _notes(source).get(DIGESTS) or {}
        replaced = [
            key
            for key, name in named.items()
            if name and key in digests and was_replaced(files[name], digests[key])
        ]
        if replaced:
            dropped = True
            source.drop(set(replaced))
            print(
                f'{source.path}: the videos of {len(replaced):,} of its poses were replaced since, the '
                f'first: {replaced[0]!r}; these poses are not used'
            )
    return dropped


def _check_kept(kept: Sequence[StorePoses], facts: dict, allow_mixed: bool) -> None:
    """Refuses poses of an earlier extraction with other settings than those that are given now.

    Raises:
        ValueError: There are such, and ``allow_mixed`` is False.
    """
    # What 'error' left out has no poses here, so it is extracted anyway.
    asked = {key: value for key, value in facts.items() if (key, value) != ('truncated', 'keep')}
    for source in kept:
        notes = _notes(source)
        if DIGESTS not in notes:
            print(
                f'{source.path}: of an earlier version, which did not record the videos; whether they were '
                'replaced since is not checked'
            )
        saved = notes.get('extraction') or {}
        other = differences({key: saved.get(key) for key in asked}, asked)
        if saved and other and not allow_mixed:
            raise UserValueError(
                f'{source.path}: its poses were extracted with other settings ({other}); go on with those, '
                'remove this folder to extract all anew, choose another OUT, or use its poses all the same '
                '(--allow-mixed)'
            )


def _notes(source: StorePoses) -> dict:
    return source.store.meta.get('notes') or {}


def _stores(out: str) -> List[str]:
    """Complete stores of earlier extractions."""
    stores: List[str] = []
    while os.path.isfile(os.path.join(_numbered(out, len(stores)), META)):
        stores.append(_numbered(out, len(stores)))
    return stores


def _numbered(out: str, index: int) -> str:
    return f'{os.path.abspath(out)}.poses' + (str(index + 1) if index else '')
