"""Which videos to read, and what their clips are called."""

import os
from typing import Iterable, List, Sequence, Tuple, Union

from ..datasets.store_format import MAX_TEXT_BYTES

VIDEO_SUFFIXES = frozenset(
    '.mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .m2v .m2ts .mts .ts .vob .3gp .3g2 .flv .f4v .wmv .asf .ogv .mxf .dv .gif'.split()
)


def find_videos(source: Union[str, os.PathLike, Sequence[Union[str, os.PathLike]]]) -> List[Tuple[str, str]]:
    """The videos of a folder, at any depth, or of files and folders, as (video_id, path) in order of id.

    A video's id is its path below the folder (for a file that is named itself: its name), with '/' between and without its suffix; where that makes
    two ids equal, both keep the suffix. In folders, hidden files and files without a video's suffix are left out; a file that is named is taken.

    Raises:
        FileNotFoundError: A file or folder is absent, or there is no video in them.
        ValueError: Two videos would have the same id.
    """
    sources = [os.fspath(source)] if isinstance(source, (str, os.PathLike)) else [os.fspath(path) for path in source]
    found: List[Tuple[str, str]] = []
    for path in sources:
        if os.path.isdir(path):
            found += [(os.path.relpath(file, path).replace(os.sep, '/'), file) for file in _files(path)]
        elif os.path.exists(path):
            found.append((os.path.basename(path), path))
        else:
            raise FileNotFoundError(f'{path}: no such file or folder')
    if not found:
        raise FileNotFoundError(f'{", ".join(sources)}: no videos; looked for files that end in {" ".join(sorted(VIDEO_SUFFIXES))}')
    stems = [os.path.splitext(name)[0] for name, _ in found]
    shared = {stem for stem, count in _counts(stems).items() if count > 1}
    videos = sorted((name if stem in shared else stem, path) for (name, path), stem in zip(found, stems))
    check_ids(videos)
    return videos


def check_ids(videos: Iterable[Tuple[str, str]]) -> None:
    """Refuses ids that a PoseStore cannot hold.

    Raises:
        ValueError: An id is repeated, empty, too long, or not text.
    """
    seen = {}
    for video_id, path in videos:
        try:
            size = len(video_id.encode())
        except UnicodeEncodeError:
            raise ValueError(f'{path!r}: its name is not UTF-8; rename it') from None
        if not 0 < size <= MAX_TEXT_BYTES or '\0' in video_id:
            raise ValueError(f'{path}: video_id {video_id!r} has {size} bytes; 1 to {MAX_TEXT_BYTES} without NUL are possible: rename it')
        if video_id in seen:
            raise ValueError(f'{path} and {seen[video_id]}: both would be video_id {video_id!r}; rename one, or give the folder that holds both')
        seen[video_id] = path


def _files(folder: str) -> List[str]:
    return [
        os.path.join(root, name)
        for root, _, names in os.walk(folder)
        for name in names
        if os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES and not name.startswith('.')
    ]


def _counts(names: Sequence[str]) -> dict:
    counts: dict = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts
