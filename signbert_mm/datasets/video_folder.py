"""Finds the videos of a store's clips."""

import os
import unicodedata
from typing import Dict, List, Optional, Sequence, Union

from ..errors import UserValueError
from ..files.folders import VIDEO_SUFFIXES, list_files, suffix_of
from ..files.paths import check_name, path_below

SUFFIXES = tuple(sorted(VIDEO_SUFFIXES))


class VideoFolder:
    """The videos of clips in a folder, ``<video_id><suffix>`` at any depth.

    Args:
        folder (str | Path): The folder.
        suffixes (Sequence[str], optional): Endings in order of preference. None = all endings of videos, and
            a clip with two videos is an error.

    Raises:
        FileNotFoundError: The folder does not exist.
    """

    def __init__(self, folder: Union[str, os.PathLike], suffixes: Optional[Sequence[str]] = None) -> None:
        self.folder = os.fspath(folder)
        self._order = None if suffixes is None else [suffix.lower() for suffix in suffixes]
        self._files: Dict[str, List[str]] = {}
        for name, path in list_files(folder, self._order or VIDEO_SUFFIXES, 'a video').taken:
            self._files.setdefault(os.path.splitext(name)[0], []).append(path)

    def find(self, name: str) -> Optional[str]:
        """Returns the path of the clip's video, or None.

        Raises:
            ValueError: Two videos have the name, or the name is not a path below the folder.
        """
        # A name comes from data: it must not lead out of the folder.
        check_name(name, f'{self.folder}: video_id')
        # File systems differ in how they store accents; `list_files` gives composed characters too.
        plain = unicodedata.normalize('NFC', name)
        # A name that is too long for a file is cut as store_to_videos.py cuts it.
        stems = [
            plain,
            *(path_below('', plain, suffix)[: -len(suffix)] for suffix in self._order or VIDEO_SUFFIXES),
        ]
        files = next((self._files[stem] for stem in stems if stem in self._files), [])
        if self._order:
            files = sorted(files, key=lambda path: self._order.index(suffix_of(path)))[:1]
        if len(files) > 1:
            raise UserValueError(
                f'{self.folder}: clip {name!r} has two videos, {files[0]} and {files[1]}; remove one of '
                'them, or choose by suffixes=[..]'
            )
        return files[0] if files else None
