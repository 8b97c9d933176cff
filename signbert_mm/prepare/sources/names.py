"""Names of the videos and pose files below a folder."""

import os
from typing import List, Sequence, Tuple

from ...files.folders import VIDEO_SUFFIXES, LeftOut, list_files, list_videos, without_suffix
from ...files.matching import NameIndex


def files_below(folder: str, suffixes: Sequence[str]) -> List[Tuple[str, str]]:
    """``(name without suffix, path)`` of the files with such suffixes at any depth, sorted by path.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    files = list_files(folder, suffixes, 'wanted').taken
    return [(os.path.splitext(name)[0], path) for name, path in sorted(files, key=lambda item: item[1])]


def videos_below(folder: str) -> Tuple[List[Tuple[str, str]], List[LeftOut]]:
    """``(name without suffix, path)`` of the videos and image folders at any depth, and what is left out.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    listing = list_videos(folder)
    # Folders of images that are no one sequence are included: they fail with the reason when they are read.
    videos = [*listing.taken, *listing.unclear]
    return [
        (name if os.path.isdir(path) else os.path.splitext(name)[0], path) for name, path in videos
    ], listing.left_out


__all__ = ['VIDEO_SUFFIXES', 'NameIndex', 'files_below', 'videos_below', 'without_suffix']
