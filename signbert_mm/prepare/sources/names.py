"""Names of videos and pose files, found wherever they lie below a folder."""

import os
from typing import List, Sequence, Tuple

from ...files.folders import VIDEO_SUFFIXES, LeftOut, list_files, list_videos, without_suffix
from ...files.matching import NameIndex


def files_below(folder: str, suffixes: Sequence[str]) -> List[Tuple[str, str]]:
    """``(name, path)`` of the files with such suffixes at any depth, sorted by path; names are without
    suffix.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    taken = list_files(folder, suffixes, 'wanted').taken
    return [(os.path.splitext(name)[0], path) for name, path in sorted(taken, key=lambda item: item[1])]


def videos_below(folder: str) -> Tuple[List[Tuple[str, str]], List[LeftOut]]:
    """``(name, path)`` of the videos at any depth, folders of images too, and what is left out; names are
    without suffix.

    Folders of images that are no one sequence are given as well: they fail with the reason when they are
    read.

    Raises:
        FileNotFoundError: There is no such folder.
    """
    listing = list_videos(folder)
    found = [*listing.taken, *listing.unclear]
    return [
        (name if os.path.isdir(path) else os.path.splitext(name)[0], path) for name, path in found
    ], listing.left_out


__all__ = ['VIDEO_SUFFIXES', 'NameIndex', 'files_below', 'videos_below', 'without_suffix']
