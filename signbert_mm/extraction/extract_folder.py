"""Extracts videos into a PoseStore: in several processes, on several machines, resumable."""

import json
import logging
import os
import shutil
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from ..datasets.frame_times import STARTS
from ..datasets.pose_store import PoseStore
from ..datasets.pose_store_writer import PoseStoreWriter
from ..datasets.store_format import FAILED
from ..errors import UserRuntimeError, UserValueError
from ..logs import print_log
from .find_videos import check_ids
from .parts import (
    Record,
    differences,
    digest_of,
    open_parts,
    rank_and_world,
    read_poses,
    read_records,
    unfinished,
    was_replaced,
)
from .pose_extractor import LAYOUT, PoseExtractor, build_extractor
from .workers import run_here, run_processes

# Of a store's notes: the digest of each video, by its id.
DIGESTS = 'video_digests'
SPLIT = 'all'


def extract_folder(
    videos: Sequence[Tuple[str, str]],
    out: Union[str, os.PathLike],
    extractor: Union[str, Dict[str, Any], PoseExtractor] = 'mediapipe',
    workers: int = 1,
    progress: bool = True,
    *,
    fps: Optional[float] = None,
    truncated: str = 'error',
    image_fps: float = 0.0,
    launcher: str = 'none',
    source: str = '',
    licence: str = '',
) -> Optional[PoseStore]:
    """Extracts the poses of videos into a PoseStore.

    The store has layout coco_wholebody_133, no labels, and the one split 'all'.

    Finished videos are kept in ``<out>.parts`` and are not done again. After a kill, start it again with any
    number of workers or ranks. The store does not depend on that number: clips are in order of id, and a
    clip's poses depend on its video alone. A video that cannot be read is left out, and ``failed.txt`` in the
    store's folder names it and the reason.

    Args:
        videos (Sequence[tuple[str, str]]): (video_id, path), for instance from :func:`find_videos`.
        out (str | Path): The new store. An existing store is returned if it is of these files with these
            settings.
        extractor (str | dict | PoseExtractor): As for :func:`build_extractor`; a name or a dict where
            ``workers`` > 1.
        workers (int): Processes on this machine. One that dies on a video is replaced, and the video is
            counted as failed the second time.
        progress (bool): Show videos, frames a second and remaining time.
        fps (float, optional): Resample to this rate; None = every frame.
        truncated (str): For a file that ends before its header says. 'error': it counts as failed. 'keep':
            its frames are used.
        image_fps (float): The rate of folders of images; 0 = unknown.
        launcher (str): 'none', 'pytorch' (torchrun) or 'slurm'. Each rank does its share of the videos, and
            the last to finish writes the store.
        source, licence (str): For ``meta.json``.

    Returns:
        PoseStore: The store, or None on a rank that finishes before the others.

    Raises:
        FileExistsError: ``out`` exists and is no store, or one of other settings or videos, or of files that
            were replaced since; the message names the difference.
        ValueError: An id is repeated or too long, the parts were begun with other settings, or no video could
            be read.
        RuntimeError: A worker could not start, or videos were changed while they were read.
        OSError: Poses cannot be written, for instance on a full disk, or this machine cannot open more files.
            No video counts as failed then. Run it again.
    """
    out = os.path.abspath(os.fspath(out))
    videos = sorted((str(video_id), os.fspath(path)) for video_id, path in videos)
    if not videos:
        raise UserValueError(f'{out}: no videos were given')
    check_ids(videos)
    if workers < 1:
        raise UserValueError(f'workers is {workers}; give 1 or more')
    if workers > 1 and isinstance(extractor, PoseExtractor):
        raise UserValueError('several workers each build an extractor of their own: give its name or a dict')
    rank, world = rank_and_world(launcher)
    built = build_extractor(extractor)
    facts = extraction_facts(built, fps, truncated, image_fps)
    if os.path.exists(out):
        return _existing(out, videos, facts)

    parts = f'{out}.parts'
    try:
        open_parts(parts, facts)
        todo = sorted(unfinished(videos[rank::world], read_records(parts, videos)).items())
        reading = dict(fps=fps, truncated=truncated, image_fps=image_fps)
        # Workers build their own extractors. This one only gave the facts.
        if todo and workers > 1:
            built.close()
            run_processes(todo, parts, extractor, reading, min(workers, len(todo)), progress)
        elif todo:
            run_here(todo, parts, built, reading, progress)
        return _merge(out, parts, videos, facts, dict(source=source, licence=licence), launcher)
    except FileNotFoundError:
        if world == 1 or not os.path.exists(out):
            raise
        # Another rank merged the parts and removed them.
        return _existing(out, videos, facts)
    finally:
        built.close()


def extraction_facts(
    extractor: PoseExtractor, fps: Optional[float], truncated: str, image_fps: float = 0.0
) -> dict:
    """What extracted poses depend on apart from the videos, as JSON gives it back."""
    facts = dict(
        extractor=extractor.name,
        version=extractor.version,
        settings=extractor.describe(),
        fingerprint=extractor.fingerprint,
        fps=fps,
        truncated=truncated,
    )
    if image_fps:
        facts['image_fps'] = image_fps
    # JSON turns tuples into lists.
    return json.loads(json.dumps(facts))


def _existing(out: str, videos: List[Tuple[str, str]], facts: dict) -> PoseStore:
    """The store that already exists at ``out``, if it is the one that this call would write."""
    try:
        store = PoseStore(out)
    except (FileNotFoundError, ValueError) as error:
        raise FileExistsError(
            f'{out} exists and is not a whole PoseStore ({error}); choose another OUT'
        ) from error
    notes = store.meta.get('notes') or {}
    saved, digests = notes.get('extraction') or {}, notes.get(DIGESTS)
    other = {*store.video_id, *notes.get('failed', ())} ^ {video_id for video_id, _ in videos}
    what = ''
    if saved != facts:
        what = f'other settings or another extractor ({differences(saved, facts)})'
    elif other:
        what = f'other videos ({min(other)!r} is in one of the two alone)'
    elif digests is None:
        print_log(
            f'{out} is of an earlier version and does not say which files its poses are of; whether the '
            'videos were replaced since is not checked',
            logger='current',
        )
    else:
        replaced = [path for video_id, path in videos if was_replaced(path, digests.get(video_id, ''))]
        what = f'other files (replaced since: {len(replaced)}, the first: {replaced[0]})' if replaced else ''
    if what:
        raise FileExistsError(f'{out} is a store of {what}; choose another OUT, or remove it to extract anew')
    return store


def _merge(
    out: str, parts: str, videos: List[Tuple[str, str]], facts: dict, about: dict, launcher: str
) -> Optional[PoseStore]:
    """Writes the store. The one process that sees all videos finished and has the lock does so."""
    import fcntl

    with open(os.path.join(parts, 'merge.lock'), 'w') as lock:
        try:
            # Waits for another rank that merges now.
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            if launcher != 'none':
                raise UserRuntimeError(
                    f'{parts}: this file system has no locks ({error}); run once more without --launcher to '
                    'merge the parts'
                ) from error
        if os.path.exists(out):
            return _existing(out, videos, facts)
        records = read_records(parts, videos)
        # Read again under the lock: other ranks may have finished meanwhile.
        pending = unfinished(videos, records)
        if pending and launcher == 'none':
            first = min(pending.values())
            raise UserRuntimeError(
                f'{len(pending)} videos were changed while they were read, the first: {first}; '
                'run it again, only they are done anew'
            )
        if pending:
            print_log(
                f'{len(pending)} videos of other ranks are not finished; the last rank writes {out} (if none '
                'does, run once more)',
                logger='current',
            )
            return None
        done = [records[video_id] for video_id, _ in videos]
        failed = [record for record in done if record.error]
        lines = ''.join(f'{record.video_id}\t{_one_line(record.error)}\n' for record in failed)
        # A store without clips would hide that every video failed.
        if len(failed) == len(done):
            path = os.path.join(parts, FAILED)
            with open(path, 'w', encoding='utf-8') as file:
                file.write(lines)
            raise UserValueError(
                f'none of the {len(done)} videos could be read, so there is no store; reasons '
                f'in {path}, the first: {failed[0].error}'
            )
        digests = {video_id: digest_of(path) for video_id, path in videos}
        store = _write(out, parts, done, {'extraction': facts, DIGESTS: digests}, about, lines)
        shutil.rmtree(parts, ignore_errors=True)
    if failed:
        print_log(
            f'{len(failed)} of {len(done)} videos could not be read; see {os.path.join(out, FAILED)}',
            logger='current',
            level=logging.WARNING,
        )
    return store


def _write(out: str, parts: str, done: List[Record], notes: dict, about: dict, failures: str) -> PoseStore:
    facts = notes['extraction']
    notes = dict(
        notes,
        failed=[record.video_id for record in done if record.error],
        damaged_packets={
            record.video_id: record.damaged for record in done if record.damaged and not record.error
        },
    )
    notes[STARTS] = {
        record.video_id: record.start for record in done if record.start is not None and not record.error
    }
    with PoseStoreWriter(
        out,
        LAYOUT,
        [],
        extractor=facts['extractor'],
        extractor_version=facts['version'],
        notes=notes,
        **about,
    ) as writer:
        for record in done:
            if not record.error:
                about = dict(width=record.width, height=record.height, fps=record.fps, times=record.times)
                writer.add(read_poses(parts, record), -1, SPLIT, record.video_id, **about)
        if failures:
            with open(os.path.join(writer.partial, FAILED), 'w', encoding='utf-8') as file:
                file.write(failures)
        return writer.close()


def _one_line(text: str) -> str:
    return ' '.join(text.split())
