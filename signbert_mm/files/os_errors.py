"""Describes errors of the file system in one sentence with the path and the remedy."""

import argparse
import errno
import os
from typing import Iterable, Set, Union

from ..errors import UserValueError
from .folders import VIDEO_SUFFIXES, suffix_of

_REMEDIES = {
    errno.EACCES: 'this user may not read or write there; name another place, or change its permissions',
    errno.EPERM: 'this user may not read or write there; name another place, or change its permissions',
    errno.EROFS: 'nothing can be written there; name another place',
    errno.ENOTDIR: 'a part of this path is a file, not a folder; name another place',
    errno.EISDIR: 'a folder is there, and a file is meant; name another place',
    errno.EEXIST: 'something is there already; name another place, or move it away',
    errno.ENOENT: 'check the path',
    errno.ENAMETOOLONG: 'name a shorter one',
    errno.ENOSPC: 'free space, or write elsewhere, and start it again; nothing is half-written',
    errno.EDQUOT: 'free space, or write elsewhere, and start it again; nothing is half-written',
    errno.EMFILE: 'raise the number of open files (ulimit -n)',
}

PathLike = Union[str, 'os.PathLike[str]']
_FIGURES = ('.png', '.jpg', '.jpeg', '.pdf', '.svg', '.eps', '.ps', '.tif', '.tiff', '.webp')


def describe_os_error(error: OSError) -> str:
    """One sentence: what the system refused, where, and what to do.

    Args:
        error (OSError): An error of Python. Without an error number its own text is returned.
    """
    if error.errno is None:
        return str(error)
    places = [
        os.fsdecode(name)
        for name in (error.filename, error.filename2)
        if isinstance(name, (str, bytes, os.PathLike))
    ]
    what = error.strerror or os.strerror(error.errno)
    remedy = _REMEDIES.get(error.errno, 'SIGNBERT_MM_TRACEBACK=1 shows where')
    return f'{" -> ".join(places)}: {what}; {remedy}' if places else f'{what}; {remedy}'


def check_writable(path: PathLike) -> None:
    """Refuses a file or folder that cannot be written, before any work for it. Creates nothing.

    Args:
        path (str | Path): What is to be written; it and its parents need not exist yet.

    Raises:
        OSError: It cannot be written; with the number, text and path that the system would give.
    """
    path = os.fspath(path)
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        # A device or a pipe: of /dev/stdout the real path is no path.
        _check_access(path, os.W_OK)
        return
    # The nearest folder that exists decides.
    place, created = os.path.realpath(path), False
    while not os.path.lexists(place):
        place, created = os.path.dirname(place), True
    if os.path.isdir(place):
        _check_access(place, os.W_OK | os.X_OK)
    elif created:
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    else:
        _check_access(place, os.W_OK)
        # The new file is written beside it and renamed.
        _check_access(os.path.dirname(place), os.W_OK | os.X_OK)


def check_outputs(
    outputs: Iterable[PathLike], inputs: Iterable[PathLike] = (), over_videos: bool = False
) -> None:
    """Refuses files to be written that are one file, that are read, or that are videos, before any work.

    In ``--csv *.mp4`` the shell puts a video where the file's name is meant.

    Args:
        outputs (Iterable[str | Path]): What is to be written.
        inputs (Iterable[str | Path]): What is read.
        over_videos (bool): Other videos may be replaced.

    Raises:
        ValueError: There is such a file; the message names it.
    """
    read = {os.path.realpath(path) for path in inputs}
    seen: Set[str] = set()
    for path in outputs:
        place = os.path.realpath(path)
        if place in seen:
            raise UserValueError(f'{os.fspath(path)} is named for two outputs; name two files')
        seen.add(place)
        is_video = not over_videos and os.path.exists(place) and suffix_of(place) in VIDEO_SUFFIXES
        if place in read or is_video:
            what = 'read' if place in read else 'a video'
            raise UserValueError(
                f'{os.fspath(path)} is {what}, and what is written would replace it; name another file'
            )


def _check_access(place: str, asked: int) -> None:
    if not os.access(place, asked):
        read_only = hasattr(os, 'statvfs') and os.statvfs(place).f_flag & os.ST_RDONLY
        number = errno.EROFS if read_only else errno.EACCES
        raise OSError(number, os.strerror(number), place)


def output_path(text: str) -> str:
    """An ``argparse`` type: a file or folder that can be written.

    Raises:
        ArgumentTypeError: It cannot be written; the message says why.
    """
    try:
        check_writable(text)
    except OSError as error:
        raise argparse.ArgumentTypeError(describe_os_error(error)) from error
    return text


def output_file(text: str) -> str:
    """As :func:`output_path`, of a file.

    Raises:
        ArgumentTypeError: It cannot be written, or a folder is there.
    """
    output_path(text)
    if os.path.isdir(text):
        raise argparse.ArgumentTypeError(f'{text}: {_REMEDIES[errno.EISDIR]}')
    return text


def figure_path(text: str) -> str:
    """As :func:`output_file`, of a picture that matplotlib writes.

    Raises:
        ArgumentTypeError: It cannot be written, or its ending is not of such a picture.
    """
    output_file(text)
    if os.path.splitext(text)[1].lower() not in _FIGURES:
        raise argparse.ArgumentTypeError(
            f'{text}: the ending says the format; known are {", ".join(_FIGURES)}'
        )
    return text
