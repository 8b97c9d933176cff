"""Which videos to read, and what their clips are called."""

import os
import re
from typing import Iterable, List, Sequence, Tuple, Union

from ..files.paths import check_name

VIDEO_SUFFIXES = frozenset(
    '.mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .m2v .m2ts .mts .ts .vob .3gp .3g2 .flv .f4v .wmv .asf .ogv .mxf .dv .gif'.split()
)
IMAGE_SUFFIXES = frozenset('.jpg .jpeg .png .bmp .webp .tif .tiff .ppm'.split())
_NUMBERED = re.compile(r'(.*?)(\d+)')


def find_videos(source: Union[str, os.PathLike, Sequence[Union[str, os.PathLike]]]) -> List[Tuple[str, str]]:
    """The videos of a folder, at any depth, or of files and folders, as (video_id, path) in order of id.

    A folder of numbered images (see :func:`numbered_images`) is a video, too.

    A video's id is its path below the folder (for a file that is named itself: its name), with '/' between and without its suffix; where that makes
    two ids equal, both keep the suffix. In folders, hidden files and files without a video's suffix are left out; a file that is named is taken. A
    folder of images is called as the folder is.

    Raises:
        FileNotFoundError: A file or folder is absent, or there is no video in them.
        ValueError: Two videos would have the same id.
    """
    sources = [os.fspath(source)] if isinstance(source, (str, os.PathLike)) else [os.fspath(path) for path in source]
    found: List[Tuple[str, str]] = []
    for path in sources:
        if os.path.isdir(path):
            found += [(_name_below(path, file), file) for file in _files(path)]
        elif os.path.exists(path):
            found.append((os.path.basename(path), path))
        else:
            raise FileNotFoundError(f'{path}: no such file or folder')
    if not found:
        raise FileNotFoundError(
            f'{", ".join(sources)}: no videos; looked for files that end in {" ".join(sorted(VIDEO_SUFFIXES))}, and for folders of numbered images'
        )
    stems = [name if os.path.isdir(path) else os.path.splitext(name)[0] for name, path in found]
    shared = {stem for stem, count in _counts(stems).items() if count > 1}
    videos = sorted((name if stem in shared else stem, path) for (name, path), stem in zip(found, stems))
    check_ids(videos)
    return videos


def check_ids(videos: Iterable[Tuple[str, str]]) -> None:
    """Refuses ids that a PoseStore cannot hold.

    Raises:
        ValueError: An id is repeated, empty, too long, not text, or no relative path.
    """
    seen = {}
    for video_id, path in videos:
        check_name(video_id, f'{path!r}: video_id')
        if video_id in seen:
            raise ValueError(f'{path} and {seen[video_id]}: both would be video_id {video_id!r}; rename one, or give the folder that holds both')
        seen[video_id] = path


def numbered_images(names: Iterable[str]) -> List[str]:
    """The frames of one clip among the names of a folder's files, in order of their numbers; [] where the folder is no clip.

    It is one where no video lies in it, and its images (two or more) all end in a number, behind the same text and with the same suffix:
    0001.jpg, 0002.jpg, .. or frame_1.png, frame_2.png, .. Other files, such as labels, do not matter.
    """
    found = []
    for name in names:
        stem, suffix = os.path.splitext(name)
        if name.startswith('.') or suffix.lower() not in VIDEO_SUFFIXES | IMAGE_SUFFIXES:
            continue
        match = _NUMBERED.fullmatch(stem)
        if suffix.lower() in VIDEO_SUFFIXES or match is None:
            return []
        found.append((int(match[2]), name, match[1], suffix.lower()))
    if len(found) < 2 or len({row[2:] for row in found}) > 1:
        return []
    return [name for _, name, _, _ in sorted(found)]


def image_clips(folder: str) -> List[Tuple[str, str]]:
    """``(name, path)`` of the folders of numbered images at any depth below a folder; the name is the path below it, with '/' between."""
    return [(_name_below(folder, path), path) for path in _files(folder) if os.path.isdir(path)]


def _files(folder: str) -> List[str]:
    """Videos, and folders of numbered images; hidden ones are left out."""
    found = []
    for root, _, names in os.walk(folder):
        found += [os.path.join(root, name) for name in names if os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES and not name.startswith('.')]
        if numbered_images(names):
            found.append(root)
    return found


def _name_below(folder: str, path: str) -> str:
    return os.path.basename(os.path.abspath(path)) if path == folder else os.path.relpath(path, folder).replace(os.sep, '/')


def _counts(names: Sequence[str]) -> dict:
    counts: dict = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts
