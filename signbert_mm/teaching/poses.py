"""Poses of the videos: extracted once, kept, checked, and written as a labelled store."""

import os
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from ..apis.clips import why_no_answer
from ..apis.taught_signs import STORE
from ..datasets import PoseStore, PoseStoreWriter
from ..datasets.hand_rule import hands_found
from ..errors import UserValueError
from ..extraction import build_extractor
from ..extraction.extract_folder import extraction_facts
from ..extraction.parts import Record, open_parts, read_poses, read_records, unfinished
from ..extraction.workers import run_here, run_processes
from ..layouts import get_layout
from .videos import Problem, TaughtVideo

PARTS, SPLIT = 'poses.parts', 'train'
# A clip with hands in fewer of its frames teaches little.
FEW_HANDS = 0.2


def extract_videos(
    videos: Sequence[TaughtVideo],
    folder: str,
    extractor: Dict[str, Any],
    fps: Optional[float] = None,
    workers: int = 1,
    say: Callable[[str], None] = print,
) -> Tuple[PoseStore, List[Problem]]:
    """Extracts what is not extracted yet, and writes the clips that show a hand.

    Finished videos stay in ``<folder>/poses.parts``: a later call with more videos, or after a stop, does
    the others alone. A video that was changed is done again.

    Args:
        videos (Sequence[TaughtVideo]): The videos.
        folder (str): Of the taught signs. The store becomes ``<folder>/poses``, in split 'train'.
        extractor (dict): As for :func:`build_extractor`.
        fps (float, optional): The even rate at which videos are read; None = every frame.
        workers (int): Processes.
        say (Callable): Takes lines for people.

    Returns:
        tuple[PoseStore, list[Problem]]: The store, and the videos that cannot be read or show no hand.

    Raises:
        ValueError: No video is left; earlier poses were found with other settings.
    """
    parts, named = os.path.join(folder, PARTS), [(video.video_id, video.path) for video in videos]
    built = build_extractor(extractor)
    try:
        facts = extraction_facts(built, fps, 'error')
        open_parts(parts, facts)
        todo = sorted(unfinished(named, read_records(parts, named)).items())
        done = f', {len(named) - len(todo)} are there from before' if len(todo) < len(named) else ''
        say(f'Poses: {len(todo)} of {len(named)} videos are to be read by {built.name}{done}.')
        reading = dict(fps=fps, truncated='error', image_fps=0.0)
        if todo and workers > 1:
            built.close()
            run_processes(todo, parts, extractor, reading, min(workers, len(todo)), True)
        elif todo:
            run_here(todo, parts, built, reading, True)
    finally:
        built.close()
    records = read_records(parts, named)
    return _write_store(videos, records, parts, folder, facts)


def few_hands(hand_frames: int, frames: int) -> str:
    """What to say of a clip with a hand in few of its frames; '' where there are enough."""
    if hand_frames >= FEW_HANDS * frames:
        return ''
    return (
        f'a hand was found in {hand_frames} of {frames} frames only; more light, or a sharper picture, would '
        'help'
    )


def _write_store(
    videos: Sequence[TaughtVideo], records: Dict[str, Record], parts: str, folder: str, facts: dict
) -> Tuple[PoseStore, List[Problem]]:
    problems: List[Problem] = []
    clips = []
    layout = get_layout('coco_wholebody_133')
    for video in sorted(videos):
        record = records.get(video.video_id)
        if record is None or record.error:
            reason = record.error if record else 'changed while it was read; run it again'
            problems.append(Problem(video.video_id, ' '.join(reason.split())))
            continue
        poses = np.concatenate(list(read_poses(parts, record)))
        hands = hands_found(poses[..., 2], layout).any(-1)
        reason = why_no_answer(len(poses), bool((poses[..., 2] > 0).any()), bool(hands.any()))
        if reason:
            problems.append(Problem(video.video_id, f'{reason}; film it again'))
            continue
        reason = few_hands(int(hands.sum()), len(hands))
        if reason:
            problems.append(Problem(video.video_id, reason, left_out=False))
        clips.append((video, record, poses))
    if not clips:
        first = '; '.join(map(str, problems[:3]))
        raise UserValueError(
            f'{folder}: none of {len(videos)} videos can be read and shows a hand: nothing can be learned. '
            f'The first: {first}'
        )
    glosses = sorted({video.gloss for video, _, _ in clips})
    with PoseStoreWriter(
        os.path.join(folder, STORE),
        layout,
        glosses,
        extractor=facts['extractor'],
        extractor_version=facts['version'],
        notes=dict(extraction=facts),
        overwrite=True,
    ) as writer:
        for video, record, poses in clips:
            about = dict(width=record.width, height=record.height, fps=record.fps, times=record.times)
            writer.add(poses, glosses.index(video.gloss), SPLIT, video.video_id, video.signer, **about)
        return writer.close(), problems
