"""Conversion of an index of clips and their poses into a PoseStore."""

import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np
from mmengine.utils import ProgressBar

from ...datasets.pixel_check import UnitError
from ...datasets.pose_store import PoseStore
from ...datasets.pose_store_writer import PoseStoreWriter
from ...datasets.store_format import DOUBTFUL, MISSING, foreign_to_store
from ...errors import UserValueError
from ...files.atomic import check_target
from ...files.folders import LeftOut
from ...files.text import alike_names
from .annotation import ClipRecord, SourceIndex, split_counts
from .cutting import VideoStarts, cut_clip
from .extract import Videos, extract_absent, videos_place
from .lookup import Place, check_mixture, find_clips, find_names
from .names import NameIndex
from .poses import PoseSource, UnreadableError, VideoPose, open_poses

if TYPE_CHECKING:
    from ...extraction import PoseExtractor

ABSENT = ('no poses', 'no poses and no video')


@dataclass
class _Remark:
    record: ClipRecord
    reason: str


def convert(
    index: SourceIndex,
    out: str,
    poses: Union[None, str, PoseSource, Sequence[Union[str, PoseSource]]] = None,
    videos: Optional[Videos] = None,
    extractor: Union[None, str, dict, 'PoseExtractor'] = None,
    workers: int = 1,
    allow_mixed: bool = False,
    dtype: str = 'float32',
    overwrite: bool = False,
    extraction: Optional[dict] = None,
) -> PoseStore:
    """Writes the clips of ``index`` that have poses as a PoseStore with the official labels and splits.

    A clip's poses are looked up by its ``video_id`` (the clip itself, cut already), then by its ``video``
    (cut here). With ``videos`` the poses of clips without any are extracted first, into the store
    ``<out>.poses``, where an interrupted run continues. The new store appears complete or not at all.

    Clips that are absent, cannot be read or have values that no store takes do not stop the conversion.
    ``missing.txt`` in the store lists them, a line ``split, video_id, gloss, reason`` each, separated by
    tabs. ``doubtful.txt`` lists kept clips that are shorter than annotated or lie outside the annotated box.
    The store's meta has the ``coverage`` of each split (clips listed, also by gloss, and present) and the
    ``official`` counts.

    Args:
        index (SourceIndex): The annotation's clips.
        out (str): The new store's folder.
        poses (str | PoseSource | list, optional): Poses extracted before; the first source that has a video
            is used. See :func:`open_poses`.
        videos (str | Mapping[str, str], optional): Folder of the videos, searched to any depth; or their
            paths by name.
        extractor (str | dict | PoseExtractor, optional): For :func:`signbert_mm.extraction.extract_folder`;
            needed with ``videos``.
        workers (int): Processes that extract.
        allow_mixed (bool): Allow poses of several extractors, or versions of one, in one store; its meta
            names them all.
        dtype (str): Of the store, see :class:`PoseStoreWriter`.
        overwrite (bool): Replace an existing store, see :class:`PoseStoreWriter`.
        extraction (dict, optional): Further arguments of :func:`extract_folder`: ``fps``, ``truncated``.

    Raises:
        FileExistsError: ``out`` exists, and ``overwrite`` is False or it holds something else.
        FileNotFoundError: A folder does not exist.
        ValueError: Neither ``poses`` nor ``videos``; no clip has poses that can be read; poses of several
            extractors or layouts would mix; a file has another number of joints than its layout; nothing
            tells the image size; ``out`` is one of ``poses``.
    """
    check_target(out, overwrite, foreign_to_store)
    inputs = [] if poses is None else [poses] if isinstance(poses, (str, PoseSource)) else list(poses)
    if not inputs and videos is None:
        raise UserValueError(
            f'{index.name}: give poses that were extracted before (--poses), or the videos (--videos) and '
            'an extractor'
        )
    for line in index.deviations():
        print(f'{index.name}: {line}')
    for what, names in (('glosses', index.glosses), ('signers', {record.signer for record in index.records})):
        for group in alike_names(names):
            names = ' and '.join(map(repr, group))
            print(f'{index.name}: {what} {names} differ in capitals alone, and are kept apart')
    sources = [source if isinstance(source, PoseSource) else open_poses(source) for source in inputs]
    if any(os.path.realpath(source.path) == os.path.realpath(out) for source in sources):
        raise UserValueError(f'{out}: its poses are read, so it is not replaced; choose another folder')
    failed: NameIndex[str] = NameIndex((), '')
    left_out: List[LeftOut] = []
    paths: Dict[int, str] = {}
    if videos is not None:
        sources, failed, left_out, paths = extract_absent(
            index, out, sources, videos, extractor, workers, allow_mixed, extraction
        )
    places = find_clips(index.records, sources)
    _report_near(index, places)
    located = [place for place in places if place]
    if not located:
        raise UserValueError(_nothing_found(index, sources, videos_place(videos), failed))
    extractors = check_mixture(located, allow_mixed)
    layout = located[0].source.layout
    absent = ABSENT[videos is not None]
    # A clip without poses gets the most exact reason: the extraction's, a source's, or that it is absent.
    without = [record for record, place in zip(index.records, places) if place is None]
    unread = {id(record): failed[name] for record, name in zip(without, find_names(without, failed)) if name}
    reasons = [
        None if place else unread.get(id(record)) or _why(record, sources) or absent
        for record, place in zip(index.records, places)
    ]
    starts = VideoStarts(paths)
    store = _write(index, out, places, reasons, layout, extractors, dtype, overwrite, starts)
    _report_rest(sources, places, videos_place(videos), left_out)
    return store


def _report_near(index: SourceIndex, places: Sequence[Optional[Place]]) -> None:
    """Prints how many clips match by the end of their name alone."""
    near = [(record, place) for record, place in zip(index.records, places) if place and not place.exact]
    if near:
        record, place = near[0]
        name = record.video if place.whole_video else record.video_id
        print(
            f'{index.name}: {len(near):,} {"clip is" if len(near) == 1 else "clips are"} found by the end '
            f'of the name, the first: {name!r} is {place.key!r} of {place.source.path}'
        )


def _report_rest(
    sources: Sequence[PoseSource],
    places: Sequence[Optional[Place]],
    videos: str,
    left_out: Sequence[LeftOut],
) -> None:
    """Prints which poses and files belong to no clip."""
    for source in sources:
        used = {place.key for place in places if place and place.source is source}
        rest = [name for name in source.names() if name not in used]
        if rest:
            print(
                f'  {source.path}: {len(rest):,} of {len(source):,} poses are of no listed clip, the first: '
                f'{rest[0]!r}'
            )
    if left_out:
        names = f'{len(left_out):,} {"file or folder is" if len(left_out) == 1 else "files or folders are"}'
        print(f'  {videos}: {names} not taken, the first: {left_out[0].path} ({left_out[0].reason})')


def _why(record: ClipRecord, sources: Sequence[PoseSource]) -> str:
    """Why the clip has no poses, by the first source that says so; '' = none does."""
    reasons = (source.why(key) for source in sources for key in (record.video_id, record.video) if key)
    return next(filter(None, reasons), '')


def _nothing_found(index: SourceIndex, sources: Sequence[PoseSource], videos: str, failed: NameIndex) -> str:
    first = index.records[0]
    names = first.video_id + (f' or {first.video}' if first.video else '')
    contents = [f'{source.path} has {len(source)}, such as {source.names()[:3]}' for source in sources]
    if videos:
        contents.append(videos + (f': {len(failed)} videos, none readable' if len(failed) else ''))
    return (
        f'{index.name}: not one of {len(index)} clips was found (names such as {names!r}); '
        f'{"; ".join(contents)}; check the folder and its file names'
    )


def _outside(record: ClipRecord, keypoints: np.ndarray, width: int, height: int) -> str:
    """A remark if most of the detected joints are outside the annotated box."""
    if record.box is None or not (keypoints[..., 2] > 0).any():
        return ''
    left, top, right, bottom = record.box
    points = keypoints[..., :2][keypoints[..., 2] > 0] / (width, height)
    inside = ((points >= (left, top)) & (points <= (right, bottom))).all(axis=-1).mean()
    return (
        f'{inside:.0%} of the found joints lie in the annotated box: another person?' if inside < 0.5 else ''
    )


def _write(
    index: SourceIndex,
    out: str,
    places: Sequence[Optional[Place]],
    reasons: Sequence[Optional[str]],
    layout: str,
    extractors: Sequence[str],
    dtype: str,
    overwrite: bool,
    starts: VideoStarts,
) -> PoseStore:
    missing: List[_Remark] = []
    doubtful: List[_Remark] = []
    notes = dict(index.notes, dataset=index.name, extractors=list(extractors), paper=index.paper)
    writer = PoseStoreWriter(
        out,
        layout,
        index.glosses,
        dtype,
        index.source,
        index.licence,
        extractor='; '.join(extractors),
        notes=notes,
        overwrite=overwrite,
        coverage=_expected(index),
        official=index.official,
    )
    last: Optional[Tuple[Tuple[PoseSource, str], VideoPose]] = None
    with writer:
        for record, place, reason in _shown(list(zip(index.records, places, reasons))):
            if place is None:
                missing.append(_Remark(record, reason))
                continue
            try:
                # A recording may hold thousands of clips, one after the other, and be long to read.
                if last is None or last[0] != (place.source, place.key):
                    last = None
                    last = (place.source, place.key), place.source.read(place.key)
                pose, remarks = last[1], ['']
                if place.whole_video:
                    start, guessed = starts.find(record, pose)
                    pose, remark = cut_clip(record, pose, start)
                    remarks = [remark, guessed]
            except (UnreadableError, UnitError, OSError) as error:
                missing.append(_Remark(record, str(error)))
                continue
            where = f'{place.source.path}: {place.key}'
            width, height = _image_size(record, pose, where)
            about = dict(
                width=width, height=height, fps=pose.fps or record.fps, times=pose.times, where=where
            )
            try:
                writer.add(
                    pose.keypoints, record.label, record.split, record.video_id, record.signer, **about
                )
            except UserValueError as error:
                # The writer is as before.
                missing.append(_Remark(record, str(error)))
                continue
            doubtful += [
                _Remark(record, text)
                for text in (*remarks, _outside(record, pose.keypoints, width, height))
                if text
            ]
        _list(os.path.join(writer.partial, MISSING), missing, index.glosses)
        _list(os.path.join(writer.partial, DOUBTFUL), doubtful, index.glosses)
        if not len(writer):
            raise UserValueError(
                f'{index.name}: none of the {len(places)} clips could be read, the first: '
                f'{missing[0].record.video_id}: {missing[0].reason}'
            )
        store = writer.close()
    _report(index, store, missing, doubtful)
    return store


def _shown(items: list) -> Iterator:
    """``items``, with a bar on a terminal and a line twice a minute in a log."""
    bar, updated = ProgressBar(len(items), file=sys.stderr), time.monotonic()
    pause = 0.2 if sys.stderr.isatty() else 30.0
    for number, item in enumerate(items, 1):
        yield item
        if number == len(items) or time.monotonic() - updated > pause:
            bar.update(number - bar.completed)
            updated = time.monotonic()
    print(file=sys.stderr)


def _expected(index: SourceIndex) -> Dict[str, dict]:
    per_class = {split: [0] * len(index.glosses) for split in index.counts()}
    # Unlabelled clips would count for the last class, so per_class is left out.
    unlabelled = any(record.label < 0 for record in index.records)
    for record in index.records:
        per_class[record.split][record.label] += 1
    return {
        split: dict(expected=count, **({} if unlabelled else dict(per_class=per_class[split])))
        for split, count in index.counts().items()
    }


def _image_size(record: ClipRecord, pose: VideoPose, where: str) -> Tuple[int, int]:
    width, height = (pose.width, pose.height) if pose.width and pose.height else (record.size or (0, 0))
    if not width or not height:
        raise UserValueError(
            f'{where}: neither poses nor annotation tell the image size; give --width and --height'
        )
    return int(width), int(height)


def _list(path: str, remarks: Sequence[_Remark], glosses: Sequence[str]) -> None:
    if not remarks:
        return
    with open(path, 'w', encoding='utf-8') as file:
        file.write('# split\tvideo_id\tgloss\treason\n')
        for remark in remarks:
            record = remark.record
            gloss = glosses[record.label] if record.label >= 0 else ''
            file.write(
                '\t'.join([record.split, record.video_id, gloss, ' '.join(remark.reason.split())]) + '\n'
            )


def _report(
    index: SourceIndex, store: PoseStore, missing: Sequence[_Remark], doubtful: Sequence[_Remark]
) -> None:
    present, listed = store.split_counts(), index.counts()
    print(store)
    for split, count in listed.items():
        print(
            f'  {split}: {present.get(split, 0):,} of {count:,} clips ({present.get(split, 0) / count:.1%})'
        )
    for name, remarks in ((MISSING, missing), (DOUBTFUL, doubtful)):
        if remarks:
            clips = _clips(remarks)
            by_split = ', '.join(f'{split} {count:,}' for split, count in split_counts(clips).items())
            print(
                f'  {len(clips):,} {"clip is" if len(clips) == 1 else "clips are"} in '
                f'{os.path.join(store.folder, name)} ({by_split})'
            )
            explained = [remark for remark in remarks if remark.reason not in ABSENT]
            if explained:
                print(
                    f'    {len(_clips(explained)):,} of them have poses or a video, the first, '
                    f'{explained[0].record.video_id}: {explained[0].reason}'
                )


def _clips(remarks: Sequence[_Remark]) -> List[ClipRecord]:
    """Each clip once: one may have several remarks."""
    return list({id(remark.record): remark.record for remark in remarks}.values())
