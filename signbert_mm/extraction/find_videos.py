"""Lists the videos to read and names their clips."""

import os
from collections import Counter
from typing import Iterable, List, Sequence, Tuple, Union

from ..errors import UserValueError
from ..files.folders import IMAGE_SUFFIXES, VIDEO_SUFFIXES, LeftOut, list_videos, report_left_out
from ..files.paths import check_name
from ..files.text import clean_text, is_utf8, shown_name

PathLike = Union[str, 'os.PathLike[str]']


def find_videos(source: Union[PathLike, Sequence[PathLike]], unclear: bool = False) -> List[Tuple[str, str]]:
    """The videos of a folder, at any depth, or of files and folders, as (video_id, path) in order of id.

    A folder of numbered images (see :func:`~signbert_mm.files.folders.image_sequence`) is a video, too. Files
    that are left out are logged as a warning, with their number and the reason.

    A video's id is its path below the folder, in Unicode NFC, with '/' between and without its suffix. The id
    of a file given by itself is its name. Where two ids would be equal, both keep the suffix. A folder of
    images gives its own name. In folders, hidden files and files without a video's suffix are left out. A
    file given by itself is always used.

    Args:
        source (str | Path | Sequence): A folder or a file, or several.
        unclear (bool): Also return the folders of images that form no sequence. Reading these fails with the
            reason. Otherwise they are left out and logged.

    Raises:
        FileNotFoundError: A file or folder is missing, or there is no video in them.
        ValueError: Two videos would have the same id, or the name of a file given by itself is not UTF-8.
    """
    sources = (
        [os.fspath(source)]
        if isinstance(source, (str, os.PathLike))
        else [os.fspath(path) for path in source]
    )
    clips: List[Tuple[str, str]] = []
    left_out: List[LeftOut] = []
    for path in sources:
        if os.path.isdir(path):
            listing = list_videos(path)
            clips += listing.taken + (listing.unclear if unclear else [])
            left_out += listing.left_out
            left_out += (
                [] if unclear else [LeftOut(file, 'images of no one sequence') for _, file in listing.unclear]
            )
        elif os.path.exists(path):
            if not is_utf8(os.path.basename(path)):
                raise UserValueError(f'{shown_name(path)}: its name is not UTF-8; rename it')
            clips.append((clean_text(os.path.basename(path)), path))
        else:
            raise FileNotFoundError(f'{shown_name(path)}: no such file or folder')
    report_left_out(left_out, sources[0] if len(sources) == 1 else '')
    if not clips:
        raise FileNotFoundError(
            f'{", ".join(sources)}: no videos; looked for files that end in '
            f'{" ".join(sorted(VIDEO_SUFFIXES))}, and for folders of numbered images'
        )
    videos = name_clips(clips)
    check_ids(videos)
    return videos


def name_clips(clips: Sequence[Tuple[str, str]]) -> List[Tuple[str, str]]:
    """``(video_id, path)`` in order of id, of ``(name, path)``.

    An id is the name without the video's suffix, but for names that would be equal: 'a.mp4' and 'a.mov'.
    """
    stems = [name if os.path.isdir(path) else os.path.splitext(name)[0] for name, path in clips]
    ambiguous = {stem for stem, count in Counter(stems).items() if count > 1}
    return sorted((name if stem in ambiguous else stem, path) for (name, path), stem in zip(clips, stems))


def check_ids(videos: Iterable[Tuple[str, str]]) -> None:
    """Refuses ids that a PoseStore cannot hold.

    Raises:
        ValueError: An id is repeated, empty, too long, not text, or no relative path.
    """
    seen = {}
    for video_id, path in videos:
        if not is_utf8(video_id):
            raise UserValueError(f'{shown_name(path)}: its name is not UTF-8; rename it')
        check_name(video_id, f'{path!r}: video_id')
        if video_id in seen:
            raise UserValueError(
                f'{path} and {seen[video_id]}: both would be video_id {video_id!r}; rename one, '
                'or give the folder that holds both'
            )
        seen[video_id] = path


def image_clips(folder: PathLike) -> List[Tuple[str, str]]:
    """``(name, path)`` of the folders of numbered images at any depth. The name is the path below it."""
    return [(name, path) for name, path in list_videos(folder).taken if os.path.isdir(path)]


__all__ = ['IMAGE_SUFFIXES', 'VIDEO_SUFFIXES', 'check_ids', 'find_videos', 'image_clips']
